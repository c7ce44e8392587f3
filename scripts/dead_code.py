"""Functions, methods, classes and imports that nothing in the product, the benches or the scripts uses.

`python scripts/dead_code.py`. Prints file:line: words for each; exits 1 if there is one. Tests do not count as use: what only
a test calls is dead. Found by vulture, which goes by name alone, so a name that is used anywhere is never reported.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from vulture import Vulture
from vulture.core import Item

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("backend/agent_marketplace", "bench", "scripts")
PROGRAMS = ROOT / "bench/clients/programs"
"""What other libraries run: nothing of ours calls it."""
KINDS = {"function", "method", "class", "property", "import", "unreachable_code"}
HANDED_ON = ("get", "post", "put", "patch", "delete", "api_route", "exception_handler", "command")
REGISTERED = [f"@*.{kind}" for kind in HANDED_ON]

GUIDE = {  # the guide names them: its suite and other programs call them
    "add_api_key", "analyze_task", "deduct_balance", "get_api_key", "handle_streaming", "route_completion",
    "score_model_for_task", "set_subscription", "sign_out", "verify_token",
}  # fmt: skip
CALLED_BY_LIBRARIES = {
    "capture_signals", "send_400_response",  # uvicorn
    "on_header", "on_headers_complete",  # httptools
    "request_async", "close_async",  # stripe
    "handle_starttag", "handle_endtag", "handle_data",  # html.parser
    "log_message", "do_GET", "do_POST",  # http.server
    "downgrade",  # alembic
}  # fmt: skip
FOR_TESTS = {"advance"}  # ManualClock's


def dead(root: Path) -> Iterator[Item]:
    """What is used nowhere, in the order of the files."""
    found = Vulture(ignore_decorators=REGISTERED)
    found.scavenge([str(root / part) for part in PARTS])
    known = GUIDE | CALLED_BY_LIBRARIES | FOR_TESTS
    for item in found.get_unused_code():
        if item.typ in KINDS and item.name not in known and PROGRAMS not in Path(item.filename).parents:
            yield item


def main() -> int:
    """Prints what is dead and returns the exit status."""
    items = list(dead(ROOT))
    for item in items:
        place = Path(item.filename).relative_to(ROOT)
        print(f"{place}:{item.first_lineno}: {item.typ} {item.name} is used nowhere")
    return 1 if items else 0


if __name__ == "__main__":
    sys.exit(main())
