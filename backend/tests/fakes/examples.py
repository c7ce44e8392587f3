"""How many examples a property is asked for."""

import os

_SHARE = 1 if os.environ.get("EXAMPLES") == "all" else 3


def examples(count: int) -> int:
    """All of them in the nightly run (`EXAMPLES=all`), a third in `make test`: new ones are drawn each time either way."""
    return -(-count // _SHARE)
