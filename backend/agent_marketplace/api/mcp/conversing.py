"""An agent's tool for a client of an older revision that asks its user: the questions stand in the call's stream, their answers come
as messages of their own.

Nothing is kept for it. A question's id names the run and the very thing that is asked, so that its answer is a word on the run
like any other, whichever worker hears it. An answer that could not be taken is asked for once more.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from agent_marketplace.api.asgi import ClientGone, Ear
from agent_marketplace.api.mcp import agents
from agent_marketplace.api.mcp.agents import CAP, LEAVE, WIRE
from agent_marketplace.api.mcp.protocol import Reply, Request, asked
from agent_marketplace.api.mcp.tools import Asker
from agent_marketplace.errors import BadRequest, Conflict, RateLimited, Unavailable
from agent_marketplace.runs import recovery
from agent_marketplace.runs.live import Live
from agent_marketplace.runs.types import Head

_LOOK_S, _KEEP_ALIVE_S, _AGAIN_S = 0.5, 10.0, 5.0
"""Between two looks at a run that nobody drives here; the longest silence of the stream (clients and proxies cut one off); before
a question is asked once more."""
_COMMENT = b": keep-alive\n\n"
_STALE = Conflict("The run does not ask this now", code="approval_stale")
Say = Callable[[bytes], Awaitable[None]]


class _Client:
    """Who listens. live: the run that ends when they leave."""

    def __init__(self, say: Say) -> None:
        self.gone = asyncio.Event()
        self.live: Live | None = None
        self._say = say
        self._said_at = _now()

    def client_left(self) -> None:
        self.gone.set()
        if self.live is not None:
            self.live.stop()

    async def say(self, data: bytes) -> None:
        await self._say(data)
        self._said_at = _now()

    async def waits(self, seconds: float) -> None:
        """Returns after a moment, or when they leave; the stream is not silent for long meanwhile."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.gone.wait()
        if not self.gone.is_set() and _now() - self._said_at >= _KEEP_ALIVE_S:
            await self.say(_COMMENT)


def _now() -> float:
    return asyncio.get_running_loop().time()


async def call(asker: Asker, name: str, request: Request, say: Say) -> dict[str, Any]:
    """A run's answer; say: sends bytes of the call's stream. A hang-up ends the run. Raises MarketplaceError, ClientGone."""
    runs, user = asker.market.runs, asker.principal
    user.require("inference")
    head, live = await runs.start(await agents.wanted(asker, name, request))
    client, shown, seen = _Client(say), "", None
    ear = Ear(asker.scope, client)
    try:
        while not client.gone.is_set():
            client.live = live
            await _until_news(client, live)
            head = await runs.kit.records.head(head.run_id)
            if (now := (head.state, head.epoch, head.updated_at)) != seen:
                required = await agents.question(asker, head, request)
                if head.state != "running" and required is None:
                    return await agents.result(asker, head.run_id)
                question_id = "" if required is None else _id_of(head, required)
                if required is not None and question_id == shown:  # its answer could not be taken
                    shown = ""
                    await client.waits(_AGAIN_S)
                    continue
                if required is not None:
                    shown = question_id
                    await client.say(asked(question_id, required))
                seen = now
            live = runs.lives.here(head.run_id, user.user_id)
            if live is not None and live.leaving:
                raise Unavailable("The server is shutting down; the run goes on without you", retry_after=5)
            if (refusal := asker.market.drain.refusal()) is not None and head.state != "running":
                raise refusal
    finally:
        ear.close()
    await runs.cancel(head.run_id, user.user_id)
    raise ClientGone


async def _until_news(client: _Client, live: Live | None) -> None:
    """Returns when the run has been left by whoever drives it here, or after a moment where nobody does."""
    if live is None or live.finished:
        await client.waits(_LOOK_S)
    while live is not None and not live.finished:
        try:
            async with asyncio.timeout(_KEEP_ALIVE_S):
                await live.over()
        except TimeoutError:
            await client.say(_COMMENT)


def _id_of(head: Head, required: dict[str, Any]) -> str:
    kind = LEAVE if LEAVE in required["inputRequests"] else CAP
    subject = required["requestState"].partition(" ")[2] if kind == LEAVE else str(head.cap_nano)
    return f"{kind} {head.run_id} {subject}"


async def answer(asker: Asker, reply: Reply) -> None:
    """A user's answer. Who is given no higher cap ends with what there is. Raises NotFound, Forbidden, Conflict, BadRequest."""
    runs, user = asker.market.runs, asker.principal
    user.require("inference")
    kind, _, rest = reply.id.partition(" ")
    run_id, _, subject = rest.partition(" ")
    await runs.may_steer(run_id, user.user_id, user.key_id)
    head = await runs.kit.records.head(run_id, user.user_id)
    try:
        if head.wire == WIRE and kind == LEAVE and head.state == "waiting":
            await agents.leave(asker, run_id, subject, reply.content)
        elif head.wire == WIRE and kind == CAP and head.state == "paused" and subject == str(head.cap_nano):
            try:
                await agents.raise_cap(asker, run_id, reply.content or {})
            except (BadRequest, Conflict):  # none was given, or one that is none
                await recovery.finish(runs, head)
        else:
            raise _STALE
    except (
        RateLimited,
        Unavailable,
    ):  # the answer was not taken: whoever asked, on whichever worker, asks once more
        await runs.kit.records.touch(head)
        raise
