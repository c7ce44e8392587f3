"""Questions in an open stream: who thinks about one for long is not cut off, and an answer that could not be taken is asked for again."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from agent_marketplace.accounts.principal import Principal
from agent_marketplace.api.mcp import conversing
from agent_marketplace.api.mcp.protocol import Reply, Request
from agent_marketplace.api.mcp.tools import Asker
from agent_marketplace.db.engine import Database
from agent_marketplace.errors import RateLimited
from agent_marketplace.net.drain import Drain
from agent_marketplace.net.guard import _HANGUP, Hangup
from agent_marketplace.runs import service
from tests.fakes.scripted import USER, Named, Stage, Turn, alone, spec
from tests.integration.test_runs import CALL, stage

YES = {"allow": True}


class Stream:
    """A call's stream as its client hears it."""

    def __init__(self, world: Stage) -> None:
        self.world = world
        self.questions: asyncio.Queue[str] = asyncio.Queue()
        self.comments: asyncio.Queue[bytes] = asyncio.Queue()
        self.worker = self.asker()
        self.task: asyncio.Task[dict[str, Any]] | None = None

    def asker(self) -> Asker:
        """Of another worker each time."""
        market: Any = SimpleNamespace(runs=self.world.runs(), drain=Drain())
        user = Principal(user_id=USER, kind="session", role="user", tier="free", email="u@x.example")
        return Asker(market, user, {"extensions": {_HANGUP: {"tells": Hangup()}}})

    async def say(self, data: bytes) -> None:
        if data.startswith(b":"):
            self.comments.put_nowait(data)
        else:
            self.questions.put_nowait(json.loads(data.partition(b"data: ")[2])["id"])


@asynccontextmanager
async def conversation(world: Stage, cap: float = 1) -> AsyncIterator[Stream]:
    stream = Stream(world)
    request = Request(
        method="tools/call", id=1, params={"arguments": {"task": "go", "cap": cap}}, session="elicits-1"
    )
    stream.task = asyncio.create_task(conversing.call(stream.worker, "agent_a", request, stream.say))
    try:
        async with asyncio.timeout(30):
            yield stream
    finally:
        stream.task.cancel()
        await asyncio.gather(stream.task, return_exceptions=True)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_LOOK_S", "_AGAIN_S"):
        monkeypatch.setattr(conversing, name, 0.01)


def asking(database: Database, *calls: tuple[str, str]) -> Stage:
    agents = Named(spec("act", agent_id="agent/a"))
    return stage(database, Turn(calls=calls), Turn(text="Done."), agents=agents, policy="ask")[0]


@alone
async def test_a_user_who_thinks_about_a_question_for_long_is_not_cut_off(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversing, "_KEEP_ALIVE_S", 0.05)
    async with conversation(asking(sqlite_database, *CALL)) as stream:
        question = await stream.questions.get()
        for _ in range(3):
            assert await stream.comments.get() == b": keep-alive\n\n"
        # Another worker hears the answer, and drives the run on.
        await conversing.answer(stream.asker(), Reply(id=question, content=YES))
        assert stream.task is not None
        assert (await stream.task)["result"] == "Done."
        assert stream.questions.empty()


@alone
async def test_an_answer_that_could_not_be_taken_is_asked_for_once_more(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with conversation(asking(sqlite_database, *CALL)) as stream:
        question = await stream.questions.get()
        with monkeypatch.context() as busy:
            busy.setattr(service, "MOST_OF_A_USER", 0)
            with pytest.raises(RateLimited):
                await conversing.answer(stream.asker(), Reply(id=question, content=YES))
        assert await stream.questions.get() == question
        await conversing.answer(stream.worker, Reply(id=question, content=YES))
        assert stream.task is not None
        assert (await stream.task)["result"] == "Done."


@alone
async def test_a_question_that_was_half_answered_elsewhere_is_asked_as_it_is_now(
    sqlite_database: Database,
) -> None:
    async with conversation(asking(sqlite_database, *CALL, ("act", '{"x": 2}'))) as stream:
        whole = await stream.questions.get()
        runs, run_id = stream.worker.market.runs, whole.split(" ")[1]
        first, _ = await runs.kit.records.approvals(run_id)
        await runs.decide(run_id, USER, {first.approval_id: (first.subject_hash, True)})
        rest = await stream.questions.get()
        assert rest != whole
        await conversing.answer(stream.worker, Reply(id=rest, content=YES))
        assert stream.task is not None
        assert (await stream.task)["result"] == "Done."
