"""How many examples a property is asked for."""

import os

_ALL = os.environ.get("EXAMPLES") == "all"


def examples(count: int, *, share: int = 3) -> int:
    """All of them in the nightly run (`EXAMPLES=all`), one in `share` in `make test`: new ones are drawn each time either way."""
    return count if _ALL else -(-count // share)
