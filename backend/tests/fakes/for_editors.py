"""The product for tests that are written in another language: `python -m tests.fakes.for_editors`, in a process of its own.

The first line it prints is `{"url", "token", "key", "email"}`. Then it takes a JSON object a line, and answers each with one:

{"script": [{...}]}   what the provider does from now on: fields of `Behaviour`
{"seen": true}        what the provider was asked so far: `{"seen": [{"path", "body", "hung_up", "completed"}]}`
{"release": 3}        lets that many chunks of a stepped stream go
{"wait": 2}           answers once the provider has been asked that often
{"over": 2}           answers once the second of its requests has ended
{"person": "5"}       somebody new with that many dollars beside the sign-up credit: `{"token", "key", "email"}`

It ends with its input.
"""

import contextlib
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from agent_marketplace.providers.endpoints import OPERATORS_FILE
from tests.fakes.databases import using
from tests.fakes.server import Client, Server, Upstream, running
from tests.fakes.upstream import Behaviour

_SCOPES = ["inference", "account:read", "account:write"]
_OVER_S = 10.0
# A model that fills in the middle, at a server of the operator's own.
_DECLARED = """
[[provider]]
name = "filler"
base_url = "{base}"
wire = "openai"

[[provider.models]]
id = "tiny-coder"
input_price = "0.10"
output_price = "0.20"
context = 32768
max_output = 4096

[[rule]]
name = "filler-fills"
providers = ["filler"]
fim = "suffix"
"""


def _person(server: Server, dollars: str) -> dict[str, Any]:
    who = server.person() if dollars == "0" else server.rich(dollars)
    key: Client = server.key(who, scopes=_SCOPES)
    return {"token": who.credential, "key": key.credential, "email": who.email}


def _answer(server: Server, asked: dict[str, Any]) -> dict[str, Any]:
    fake = server.upstream.fake
    match asked:
        case {"script": script}:
            server.upstream.script(*(Behaviour(**_fields(one)) for one in script))
        case {"seen": _}:
            return {
                "seen": [
                    {"path": r.path, "body": r.json, "hung_up": r.hung_up, "completed": r.completed}
                    for r in fake.requests
                ]
            }
        case {"release": count}:
            server.upstream.release(count)
        case {"wait": count}:
            server.upstream.wait_for(count)
        case {"over": count}:
            seen, latest = server.upstream.wait_for(count), time.monotonic() + _OVER_S
            while not seen.over.is_set() and time.monotonic() < latest:
                time.sleep(0.02)
            return {"hung_up": seen.hung_up, "completed": seen.completed}
        case {"person": dollars}:
            return _person(server, str(dollars))
        case _:
            return {"error": f"unknown: {asked}"}
    return {}


def _fields(one: dict[str, Any]) -> dict[str, Any]:
    """JSON has neither bytes nor tuples."""
    made = dict(one)
    if "frames" in made:
        made["frames"] = tuple(frame.encode() for frame in made["frames"])
    if "raw" in made:
        made["raw"] = made["raw"].encode()
    if "usage" in made and isinstance(made["usage"], list):
        made["usage"] = tuple(made["usage"])
    return made


def main() -> None:
    """Serves until the input ends."""
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.enter_context(using("sqlite"))
        filler = stack.enter_context(Upstream())
        filler.script(Behaviour(text="a + b", usage=(40, 4)))
        (home / "data").mkdir()
        declared = _DECLARED.format(base=filler.fake.base_url)
        (home / "data" / OPERATORS_FILE).write_text(declared, encoding="utf-8")
        server = stack.enter_context(running(home))
        print(json.dumps({"url": server.url, **_person(server, "0")}), flush=True)
        for line in sys.stdin:
            print(json.dumps(_answer(server, json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
