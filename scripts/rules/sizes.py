"""Functions <= 70 lines, Python files <= 500, React components <= 250."""

import ast
import re
from collections.abc import Iterator

from rules.source import Breach, Source

FUNCTION, FILE, COMPONENT = 70, 500, 250

_COMPONENT = re.compile(r"(?:export )?(?:default )?(?:function|const) ([A-Z]\w*)")


def check(source: Source) -> Iterator[Breach]:
    """Python: the whole file and each function, without its decorators."""
    lines = source.text.count("\n")
    if lines > FILE:
        yield Breach(source.path, lines, f"the file has {lines} lines, at most {FILE} are allowed")
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            size = (node.end_lineno or node.lineno) - node.lineno + 1
            if size > FUNCTION:
                yield source.breach(node, f"{node.name} has {size} lines, at most {FUNCTION} are allowed")


def check_components(path: str, text: str) -> Iterator[Breach]:
    """TSX: a component begins at the margin with a capital letter and ends with the next line that closes at the margin."""
    begun: tuple[int, str] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        found = _COMPONENT.match(line)
        if begun is None and found:
            begun = (number, found[1])
        if begun is not None and line[:1] in ("}", ")"):
            size = number - begun[0] + 1
            if size > COMPONENT:
                yield Breach(path, begun[0], f"{begun[1]} has {size} lines, at most {COMPONENT} are allowed")
            begun = None
