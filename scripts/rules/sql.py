"""SQL only through parameters, and only in a domain's store, the ledger and the database room."""

import ast
from collections.abc import Iterator

from rules.source import Breach, Source, name_of

_HOMES = ("db/", "ledger/")
_RUNNERS = {"execute", "executemany", "executescript", "exec_driver_sql", "text"}
_LIBRARIES = {"sqlalchemy", "sqlite3", "psycopg"}
_TYPES = {"Connection", "Engine", "Row", "RowMapping", "Table", "exc"}  # what a caller of a store may name
_REASONS = {
    "api/operations.py": "readiness asks the database whether it is there",
    "cli/app.py": "names the databases' exceptions, to put them into words",
}


def check(source: Source) -> Iterator[Breach]:
    """Statements put together from text anywhere in the package; statements at all outside the stores."""
    if source.module is None:
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and name_of(node).rsplit(".", 1)[-1] in _RUNNERS and node.args:
            if _built(node.args[0]) and "sql:" not in source.comments.get(node.lineno, ""):
                yield source.breach(
                    node, "SQL put together from text: use parameters (or say after `# sql:` why no value gets in)"
                )
    if not source.module.startswith(_HOMES) and not source.module.endswith("/store.py") and source.module not in _REASONS:
        yield from _outside(source)


def _outside(source: Source) -> Iterator[Breach]:
    aliases: set[str] = set()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            aliases |= {alias.asname or alias.name for alias in node.names if alias.name.split(".")[0] in _LIBRARIES}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in _LIBRARIES:
            if node.module != "sqlalchemy.exc" and not {alias.name for alias in node.names} <= _TYPES:
                yield source.breach(node, "SQL outside a store: only its types may be named here")
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and name_of(node.value) in aliases and node.attr not in _TYPES:
            yield source.breach(node, f"SQL outside a store: {name_of(node)}")


def _built(node: ast.expr) -> bool:
    """Whether the text depends on values: an f-string with a field, `%`, `+` with a non-constant, `.format`."""
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
        texts = [part for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)]
        return bool(texts) and not all(isinstance(side, ast.Constant) for side in (node.left, node.right))
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format"
