"""A file as the checks see it."""

import ast
import io
import tokenize
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "backend/agent_marketplace/"


@dataclass(frozen=True)
class Breach:
    """One breach of a rule."""

    path: str
    line: int
    words: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.words}"


@dataclass(frozen=True)
class Source:
    """path: relative to the root, with forward slashes; comments: by line, without the hash sign."""

    path: str
    text: str
    tree: ast.Module
    comments: dict[int, str]

    @classmethod
    def read(cls, root: Path, path: Path) -> "Source":
        """Raises SyntaxError."""
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(root).as_posix()
        tree = ast.parse(text, name)
        tokens = tokenize.generate_tokens(io.StringIO(text).readline)
        comments = {token.start[0]: token.string.lstrip("# ") for token in tokens if token.type == tokenize.COMMENT}
        return cls(name, text, tree, comments)

    @property
    def module(self) -> str | None:
        """The path inside the package, None for files outside it."""
        return self.path.removeprefix(PACKAGE) if self.path.startswith(PACKAGE) else None

    def breach(self, node: ast.expr | ast.stmt | ast.excepthandler, words: str) -> Breach:
        """A breach at the node's line."""
        return Breach(self.path, node.lineno, words)


def name_of(node: ast.AST) -> str:
    """The dotted name of `a.b.c` or of what is called by `a.b.c(...)`; empty for anything else."""
    if isinstance(node, ast.Call):
        return name_of(node.func)
    if isinstance(node, ast.Attribute):
        inner = name_of(node.value)
        return f"{inner}.{node.attr}" if inner else node.attr
    return node.id if isinstance(node, ast.Name) else ""
