"""Migrations are one line: two branches that both took the next number leave a database that no start can bring to the newest."""

import re
from collections.abc import Iterator
from pathlib import Path

from rules.source import Breach

FOLDER = "backend/agent_marketplace/db/migrations/versions"
_SAID = re.compile(r'^(revision|down_revision) = (?:"([0-9]{4})"|None)$', re.MULTILINE)


def check(root: Path) -> Iterator[Breach]:
    """A file's number is its revision, and each follows the one before."""
    before = None
    for path in sorted((root / FOLDER).glob("*.py")):
        said = {name: number or None for name, number in _SAID.findall(path.read_text(encoding="utf-8"))}
        if said != {"revision": path.name[:4], "down_revision": before}:
            yield Breach(f"{FOLDER}/{path.name}", 1, f"a migration that is not {path.name[:4]}, or does not follow {before}")
        before = path.name[:4]
