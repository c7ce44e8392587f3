"""No float on any path of money: not in the ledger, and not in anything that is named `*_nano`."""

import ast
from collections.abc import Iterator

from rules.source import Breach, Source, name_of

_REASONS = {
    "ledger/money.py": "takes a float from callers of the guide's methods, and reads it only through its shortest text",
}
_WORDS = "money is an integer of nano-dollars"


def check(source: Source) -> Iterator[Breach]:
    """In ledger/: float literals, float(...), `/`, float annotations; not for time (*_s, *_ms). Elsewhere: what *_nano is made of."""
    if source.module is None or source.module in _REASONS:
        return
    if source.module.startswith("ledger/"):
        yield from _ledger(source)
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.keyword | ast.arg):
            if any(name.endswith("_nano") for name in _named(node)) and any(map(_float, _made_of(node))):
                line = node.value if isinstance(node, ast.keyword) else node
                yield Breach(source.path, line.lineno, f"a float in the making of {', '.join(_named(node))}: {_WORDS}")


def _ledger(source: Source) -> Iterator[Breach]:
    seconds = {
        id(part)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.arg | ast.Assign | ast.AnnAssign)
        and any(name.lower().endswith("_s") for name in _named(node))
        for top in _made_of(node)
        for part in ast.walk(top)
    }
    seconds |= {id(default) for name, default in _defaults(source.tree) if name.endswith("_s")}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.expr) and id(node) not in seconds and _float(node, deep=False):
            yield source.breach(node, f"a float in the ledger: {_WORDS} (time is named *_s or *_ms)")


def _defaults(tree: ast.Module) -> Iterator[tuple[str, ast.expr | None]]:
    """The parameters of every function that have a default, with it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.arguments):
            plain = [*node.posonlyargs, *node.args]
            yield from ((arg.arg, default) for arg, default in zip(reversed(plain), reversed(node.defaults), strict=False))
            yield from ((arg.arg, default) for arg, default in zip(node.kwonlyargs, node.kw_defaults, strict=True))


def _named(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Assign):
        return [name_of(target).rsplit(".", 1)[-1] for target in node.targets]
    if isinstance(node, ast.AugAssign | ast.AnnAssign):
        return [name_of(node.target).rsplit(".", 1)[-1]]
    return [node.arg or ""] if isinstance(node, ast.keyword | ast.arg) else []


def _made_of(node: ast.AST) -> list[ast.expr]:
    parts = [getattr(node, "value", None), getattr(node, "annotation", None)]
    return [part for part in parts if part is not None]


def _float(top: ast.expr, *, deep: bool = True) -> bool:
    """A float literal, a true division, or the name `float` itself; not inside what is passed to another function."""
    waiting: list[ast.AST] = [top]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            return True
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and not name_of(node.left).endswith("_ms"):
            return True
        if isinstance(node, ast.Name) and node.id == "float":
            return True
        if deep:
            waiting.extend([node.func] if isinstance(node, ast.Call) else ast.iter_child_nodes(node))
    return False
