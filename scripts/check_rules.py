"""The house's rules that no linter knows. Prints file:line: words for each breach; exits 1 if there is one.

`python scripts/check_rules.py [ROOT]`. Standard library only.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from rules import excepts, migrations, money, outbound, sizes, sql
from rules.source import Breach, Source

PYTHON = ("backend", "scripts", "bench")
SKIPPED = {"migrations", "web", "node_modules", ".venv", "dist", "build", "__pycache__"}
CHECKS = (sizes.check, sql.check, money.check, outbound.check, excepts.check)


def breaches(root: Path) -> Iterator[Breach]:
    """Every breach under root, in the order of the files."""
    for part in PYTHON:
        for path in sorted((root / part).rglob("*.py")):
            if SKIPPED.isdisjoint(path.relative_to(root).parts):
                source = Source.read(root, path)
                for check in CHECKS:
                    yield from check(source)
    yield from migrations.check(root)
    for path in sorted((root / "frontend" / "src").rglob("*.tsx")):
        yield from sizes.check_components(str(path.relative_to(root)), path.read_text(encoding="utf-8"))


def main(root: Path) -> int:
    """Prints the breaches under root and returns the exit status."""
    found = 0
    try:
        for breach in breaches(root):
            print(breach)
            found += 1
    except SyntaxError as e:
        print(f"{e.filename}:{e.lineno}: not valid Python: {e.msg}")
        return 1
    print(f"{found} breaches of the house rules" if found else "House rules hold")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[1]))
