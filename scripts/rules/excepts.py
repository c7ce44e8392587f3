"""A broad `except` says on its own line why it must be broad."""

import ast
import re
from collections.abc import Iterator

from rules.source import Breach, Source, name_of

_BROAD = {"Exception", "BaseException"}
_CODES = re.compile(r"(noqa|type|pragma|pylint)\s*:?\s*[\w\-\[\], ]*?(?=\s{2}|\(|#| [-–—]|$)")


def check(source: Source) -> Iterator[Breach]:
    """`except:`, `except Exception`, `except BaseException` and tuples that hold one; also contextlib.suppress of them."""
    if source.module is None:
        return
    for node in ast.walk(source.tree):
        broad = False
        if isinstance(node, ast.ExceptHandler):
            types = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            broad = any(kind is None or name_of(kind) in _BROAD for kind in types)
        elif isinstance(node, ast.Call) and name_of(node).endswith("suppress"):
            broad = any(name_of(kind) in _BROAD for kind in node.args)
        if broad and isinstance(node, ast.ExceptHandler | ast.Call) and not _reason(source.comments.get(node.lineno, "")):
            yield source.breach(node, "a broad except without its reason in a comment on this line")


def _reason(comment: str) -> bool:
    """Words beside any codes for tools."""
    return len(re.findall(r"[A-Za-z]{2,}", _CODES.sub("", comment))) >= 3
