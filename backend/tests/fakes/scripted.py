"""Runs whose models and tools are a script: the same script always, so that a crash at any write can be tried.

The database, the vault and everything in `runs` are real; only who answers is ours. `Books` stands for the ledger: what a model
call has cost is known there also after its process has died.
"""

import asyncio
import base64
import contextlib
import functools
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from agent_marketplace.clock import ManualClock
from agent_marketplace.db.engine import Database
from agent_marketplace.errors import MarketplaceError, NotFound
from agent_marketplace.net.drain import Drain
from agent_marketplace.runs.asking import Answered, Ask, DoesNotFit
from agent_marketplace.runs.kit import Kit
from agent_marketplace.runs.records import Records
from agent_marketplace.runs.service import Runs, Wanted
from agent_marketplace.runs.toolbox import Toolbox
from agent_marketplace.runs.tools.base import Caller, Tool
from agent_marketplace.runs.tools.calculator import Calculator
from agent_marketplace.runs.types import Got, Head, Policy, Said, Spec, Step, ToolRef
from agent_marketplace.vault import Keyring, Vault
from agent_marketplace.wires import codecs
from agent_marketplace.wires.base import Call, Message, TextDelta, TextPart, ToolCallPart

USER = "u1"
STEP_NANO = 1_000
_KEY = base64.urlsafe_b64encode(os.urandom(32)).decode()


class Killed(BaseException):
    """The process dies here."""


@dataclass
class Turn:
    """What a model says next. most: nano-dollars that the call could cost; cost: that it did cost."""

    text: str = ""
    calls: tuple[tuple[str, str], ...] = ()
    most: int = STEP_NANO
    cost: int = STEP_NANO // 2
    error: MarketplaceError | None = None


@dataclass
class Books:
    """Who was charged what. died: calls that had begun when their process died, with what was charged for them."""

    charged: dict[str, int] = field(default_factory=dict)
    sent: list[Ask] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(self.charged.values())


class Script:
    """Answers by how many tool results and user turns the history holds: the same history gets the same answer."""

    def __init__(self, turns: Sequence[Turn], books: Books, last: Turn | None = None) -> None:
        self.turns = turns
        self.books = books
        self.last = last or Turn(text="That is all I have.", most=STEP_NANO // 4, cost=STEP_NANO // 4)
        self.before_answer: Callable[[], None] = lambda: None

    def turn(self, call: Call) -> Turn:
        if call.max_tokens is None or call.tool_choice == "none":
            return self.last
        asked = sum(m.role == "assistant" for m in call.messages)
        return self.turns[min(asked, len(self.turns) - 1)]

    async def ask(self, ask: Ask, heard: Any, flying: Any) -> Answered:
        turn = self.turn(ask.call)
        if turn.most > ask.max_nano:
            raise DoesNotFit
        assert turn.cost <= turn.most
        self.books.sent.append(ask)
        self.books.charged[ask.request_id] = turn.cost
        flying(None)
        await asyncio.sleep(0)
        self.before_answer()
        if turn.text:
            heard([TextDelta(turn.text)])
        number = len(self.books.sent)
        calls = tuple(ToolCallPart(f"call_{number}_{i}", n, a) for i, (n, a) in enumerate(turn.calls))
        said = Said(text=turn.text, calls=calls, model="scripted", provider="script")
        return Answered(said=said, cost_nano=turn.cost, error=turn.error)

    async def most(self, _user_id: str, call: Call) -> int:
        return self.last.most if call.tool_choice == "none" else self.turn(call).most

    async def charged(self, _user_id: str, request_id: str) -> int | None:
        return self.books.charged.get(request_id, 0)


class Counted(Tool):
    """A tool with an effect that can be counted."""

    description = "does something once"
    parameters: Mapping[str, Any] = {"type": "object"}

    def __init__(
        self, name: str, *, read_only: bool = False, policy: Policy = "allow", pin: str = "p1"
    ) -> None:
        self.name = name
        self.read_only = read_only
        self.policy = policy
        self.pin = pin
        self.effects: list[str] = []
        self.at_once = self.most_at_once = 0
        self.after_effect: Callable[[], None] = lambda: None

    async def run(self, given: Mapping[str, Any], _caller: Caller) -> Got:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        for _ in range(3):
            await asyncio.sleep(0)
        self.effects.append(msgspec.json.encode(given).decode())
        self.at_once -= 1
        self.after_effect()
        return Got(text=f"{self.name} did {given.get('x')}")


class Named:
    """Agents by name."""

    def __init__(self, *specs: Spec) -> None:
        self.specs = {spec.agent_id: spec for spec in specs}
        self.suspended: set[str] = set()

    async def spec(self, _user_id: str, name: str) -> Spec:
        if name not in self.specs:
            raise NotFound("No such agent")
        return self.specs[name]

    async def whole(self, _user_id: str, spec: Spec) -> Spec:
        return spec

    async def stopped(self, spec: Spec) -> bool:
        return spec.agent_id in self.suspended

    async def listed(self, _user_id: str) -> list[Spec]:
        return list(self.specs.values())


class PaidAuthor:
    """An author whose fee is the price's, of money that is always there. posted: by run."""

    def __init__(self) -> None:
        self.posted: dict[str, int] = {}

    def begin_in(self, _connection: Any, _head: Head, spec: Spec) -> int:
        return spec.price.max_fee_nano

    def settle_in(
        self, _connection: Any, head: Head, *, delivered: bool, steps: int, model_nano: int, why: str
    ) -> int:
        fee = min(head.fee_nano, steps * 10) if delivered else 0
        return self.posted.setdefault(head.run_id, fee)


class DyingDatabase:
    """A database whose process dies at its n-th write: before it, or (after=True) once it is durable."""

    def __init__(self, real: Database, at: int = 0, *, after: bool = False) -> None:
        self._real = real
        self.at, self.after, self.writes, self.dead = at, after, 0, False

    async def read(self, fn: Any) -> Any:
        if self.dead:
            raise Killed
        return await self._real.read(fn)

    async def write(self, fn: Any, *, durable: bool = True) -> Any:
        if self.dead:
            raise Killed
        self.writes += 1
        if self.writes == self.at and not self.after:
            self.dead = True
            raise Killed
        found = await self._real.write(fn, durable=durable)
        if self.writes == self.at:
            self.dead = True
            raise Killed
        return found


@dataclass
class Stage:
    """An installation in which runs are scripted. `runs()` is another worker each time."""

    database: Database
    script: Script
    tools: Sequence[Tool] = ()
    agents: Named = field(default_factory=Named)
    clock: ManualClock = field(default_factory=ManualClock)
    keyring: Keyring = field(default_factory=lambda: Keyring([_KEY]))
    workers: int = 0
    fees: Any = field(default_factory=PaidAuthor)

    def runs(self, dying: DyingDatabase | None = None) -> Runs:
        self.workers += 1
        vault = Vault(self.database, self.keyring, self.clock)
        kit = Kit(
            records=Records(dying or self.database, vault, self.clock),  # type: ignore[arg-type]
            asks=self.script, agents=self.agents, tools=Toolbox([*self.tools, Calculator()], self.agents),
            codec=codecs()["openai"], clock=self.clock, owner=f"worker{self.workers}", fees=self.fees, sub=_unset,
        )  # fmt: skip
        return Runs(kit, Drain())


async def _unset(*_: Any) -> Any:
    raise AssertionError


def alone(test: Callable[..., Any]) -> Callable[..., None]:
    """A test in an event loop of its own."""

    @functools.wraps(test)
    def run(*args: Any, **given: Any) -> None:
        asyncio.run(test(*args, **given))

    return run


def spec(*tools: str | ToolRef, **given: Any) -> Spec:
    """A version with these tools."""
    refs = tuple(t if isinstance(t, ToolRef) else ToolRef(name=t) for t in tools)
    said: dict[str, Any] = {"agent_id": "agt_1", "version": 1, "name": "One", "model": "m", "tools": refs}
    return Spec(**(said | given))


def wanted(of: Spec, *, cap: int = 100 * STEP_NANO, **given: Any) -> Wanted:
    """A run of it."""
    return Wanted(
        spec=of, messages=(Message("user", (TextPart("Do it"),)),), user_id=USER, cap_nano=cap, **given
    )


async def settled(runs: Runs, run_id: str) -> Head:
    """The run, once this worker has left it."""
    if (live := runs.lives.here(run_id, USER)) is not None and live.task is not None:
        with contextlib.suppress(Killed, asyncio.CancelledError):
            await live.task
    return await runs.kit.records.head(run_id)


async def steps(runs: Runs, run_id: str) -> list[Step]:
    """Its steps, opened."""
    return await runs.kit.records.steps(await runs.kit.records.head(run_id))
