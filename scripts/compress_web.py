"""Writes a .gz beside each text asset of the built web UI, so that the server sends compressed files without compressing."""

import gzip
import sys
from pathlib import Path

_TEXT = {".js", ".css", ".html", ".svg", ".json", ".map", ".txt", ".woff"}
_WORTH_BYTES = 1024


def main(folder: str) -> None:
    """Compresses every text asset of at least 1 kB below `folder`."""
    for path in sorted(Path(folder).rglob("*")):
        if path.suffix in _TEXT and path.stat().st_size >= _WORTH_BYTES:
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))


if __name__ == "__main__":
    main(sys.argv[1])
