"""A request that the server's end cancels is told so in its own wire's words; what has begun, or is cancelled otherwise, is not."""

import asyncio
import json
from typing import Any

import pytest
from fastapi import FastAPI

from agent_marketplace.api.stopping import Stopping
from agent_marketplace.net.drain import Drain
from agent_marketplace.wires import codecs


class _Market:
    codecs = codecs()


def cancelled(
    path: str, *, draining: bool = True, begun: bool = False, kind: str = "http"
) -> tuple[list[Any], bool]:
    """What was sent, and whether the cancellation went on, for a request that is cancelled in the middle."""
    drain, cold, sent = Drain(), FastAPI(), list[Any]()
    cold.state.market = _Market()

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        if begun:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    async def go() -> bool:
        scope = {"type": kind, "path": path, "headers": [], "method": "POST"}
        task = asyncio.ensure_future(Stopping(app, cold, drain)(scope, asyncio.Event().wait, send))
        await asyncio.sleep(0)
        if draining:
            drain.start()
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    return sent, asyncio.run(go())


@pytest.mark.parametrize(
    ("path", "shape"),
    [("/api/v1/agents/completion", {"success", "error", "code", "request_id"}), ("/v1/chat/completions", {"error"}),
     ("/v1/messages", {"type", "error", "request_id"})],
)  # fmt: skip
def test_a_request_cancelled_by_the_servers_end_is_refused_not_failed(path: str, shape: set[str]) -> None:
    (start, body), went_on = cancelled(path)
    assert (start["status"], dict(start["headers"])[b"retry-after"], went_on) == (503, b"5", False)
    assert shape <= set(json.loads(body["body"]))


def test_other_cancellations_stay_what_they_are() -> None:
    assert cancelled("/v1/messages", draining=False) == ([], True)
    assert cancelled("/", kind="lifespan") == ([], True)
    sent, went_on = cancelled("/v1/messages", begun=True)
    assert (len(sent), went_on) == (1, True)
