"""What a client does with tasks: begins a run, answers what one asks, reads, lists and cancels it, listens to it."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec

from agent_marketplace.accounts.principal import Principal
from agent_marketplace.api.a2a import shapes
from agent_marketplace.api.a2a.protocol import Fault
from agent_marketplace.api.run_events import heard
from agent_marketplace.api.run_views import cap_of
from agent_marketplace.app import Market
from agent_marketplace.errors import NotFound
from agent_marketplace.runs import questions, store
from agent_marketplace.runs.live import EPOCH
from agent_marketplace.runs.records import newest
from agent_marketplace.runs.service import Wanted
from agent_marketplace.runs.types import OVER, Head
from agent_marketplace.wires.base import Message, TextPart

WIRE = "a2a"
_WAIT_S = 300.0
_CANCEL_S = 10.0
_POLL_S = 0.5
_CONTEXT = re.compile(r"[\w.:-]{1,64}")
_PAGE = 50
_FINAL = "This task is over: send the message without taskId and with its contextId to go on from there"


class Asker(msgspec.Struct, frozen=True, eq=False):
    """Who asks which agent (`publisher/slug`, or `own/agt_…`). base: the marketplace's address."""

    market: Market
    principal: Principal
    path: str
    base: str

    @property
    def name(self) -> str:
        """As it stands in `model`."""
        return self.path.removeprefix("own/") if self.path.startswith("own/agt_") else f"agent/{self.path}"


class Begun(msgspec.Struct, frozen=True):
    """A task that a stream tells of. after: the last of its events that its client knows; known: the steps below are in the
    task that it begins with, the others come as events."""

    head: Head
    after: int = -1
    known: int = 0


async def opened(asker: Asker, head: Head) -> shapes.Task:
    """A run with what a task shows."""
    records = asker.market.runs.kit.records
    asked = [a for a in await records.approvals(head.run_id) if a.state == "pending"]
    return shapes.Task(
        head=head, context=await records.context(head), steps=await records.steps(head), asked=asked,
        place=f"{asker.base}/runs?run={head.run_id}",
    )  # fmt: skip


async def head_of(asker: Asker, task_id: Any) -> Head:
    """The caller's task. Raises Fault: also for a run that did not begin here."""
    if isinstance(task_id, str) and len(task_id) <= 100:
        try:
            head = await asker.market.runs.kit.records.head(task_id, asker.principal.user_id)
        except NotFound:
            pass
        else:
            if head.wire == WIRE and not head.depth:
                return head
    raise Fault("TASK_NOT_FOUND", "No such task")


# -- sending -----------------------------------------------------------------------------------------------------------


async def send(asker: Asker, params: Mapping[str, Any]) -> Begun:
    """The task that a message began or went on with. Raises Fault, MarketplaceError."""
    sent = shapes.sent_in(params)
    chosen = params.get("configuration")
    if isinstance(chosen, dict) and chosen.get("taskPushNotificationConfig"):
        raise Fault(
            "PUSH_NOTIFICATION_NOT_SUPPORTED", "Push notifications are not sent: stream, subscribe or ask"
        )
    if sent.task_id:
        head = await head_of(asker, sent.task_id)
        of = await opened(asker, head)
        if sent.context_id and sent.context_id != of.context_id:
            raise Fault("INVALID_PARAMS", "contextId is not that of the task")
        await _go_on(asker, head, sent)
        head = await asker.market.runs.kit.records.head(head.run_id)
        return Begun(head, head.epoch * EPOCH - 1, newest(of.steps))
    return Begun(await _begin(asker, sent))


async def _begin(asker: Asker, sent: shapes.Sent) -> Head:
    if not sent.turn.parts:
        raise Fault("INVALID_PARAMS", "message.parts hold nothing that an agent could read")
    market, user = asker.market, asker.principal
    spec = await market.runs.kit.agents.spec(user.user_id, asker.name)
    seed = f"{user.user_id} {spec.agent_id} {sent.message_id}"
    thread = sent.context_id or f"ctx_{hashlib.sha256(seed.encode()).hexdigest()[:32]}"
    if not _CONTEXT.fullmatch(thread):
        raise Fault("INVALID_PARAMS", "contextId must be 1 to 64 of letters, digits and _ . : -")
    place = f"a2a:{spec.agent_id}:{thread}:"
    key = f"{place}{sent.message_id}"[:255]
    earlier = await market.runs.kit.records.read(lambda c: store.threaded(c, user.user_id, place))
    again = await market.runs.kit.records.read(lambda c: store.by_key(c, user.user_id, key))
    if again is not None:  # the message was sent again: it began what it began
        return again
    wanted = Wanted(
        spec=spec, messages=(*await _history(asker, earlier), sent.turn), user_id=user.user_id, key_id=user.key_id, wire=WIRE,
        cap_nano=cap_of(sent.cap), idem_key=key, thread=thread,
    )  # fmt: skip
    return (await market.runs.start(wanted))[0]


async def _history(asker: Asker, earlier: list[Head]) -> tuple[Message, ...]:
    """What was said in the context: the last task's turns, and its answer."""
    if not earlier:
        return ()
    last, records = earlier[-1], asker.market.runs.kit.records
    if last.state == "running":
        raise Fault(
            "UNSUPPORTED_OPERATION",
            f"Task {last.run_id} of this context is under way: wait for it, or cancel it",
        )
    answer = await records.result(last)
    said = (Message("assistant", (TextPart(answer),)),) if answer else ()
    return (*(await records.context(last)).messages, *said)


async def _go_on(asker: Asker, head: Head, sent: shapes.Sent) -> None:
    runs, user_id = asker.market.runs, asker.principal.user_id
    if head.state in OVER:
        raise Fault("UNSUPPORTED_OPERATION", _FINAL)
    if head.state == "running":
        raise Fault("UNSUPPORTED_OPERATION", "This task is working: it takes no message now")
    await runs.may_steer(head.run_id, user_id, asker.principal.key_id)
    cap = cap_of(sent.cap)
    if head.state == "waiting":
        asked = (await opened(asker, head)).asked
        answers = sent.answers or questions.answer_in(sent.text, asked)
        if not answers:
            code = questions.code_of(asked)
            raise Fault(
                "INVALID_PARAMS",
                f"This task waits for leave: answer `allow {code}` or `deny {code}`, or with a data part",
            )
        await runs.decide(head.run_id, user_id, answers)
    elif sent.text:
        await runs.give_input(head.run_id, user_id, sent.text, cap_nano=cap)
    else:
        await runs.raise_cap(head.run_id, user_id, cap if cap is not None else head.cap_nano or 0)


async def settled(asker: Asker, head: Head, *, within_s: float = _WAIT_S) -> Head:
    """The task once it is over or waits for somebody, or as it is after five minutes."""
    runs = asker.market.runs
    try:
        async with asyncio.timeout(within_s):
            while head.state == "running":
                if (live := runs.lives.here(head.run_id, head.user_id)) is not None:
                    await live.over()
                else:
                    await asyncio.sleep(_POLL_S)
                head = await runs.kit.records.head(head.run_id)
                if head.state == "running" and asker.market.drain.refusal() is not None:
                    return head
    except TimeoutError:
        return await runs.kit.records.head(head.run_id)
    return head


# -- the others --------------------------------------------------------------------------------------------------------


async def cancel(asker: Asker, params: Mapping[str, Any]) -> Head:
    """Raises Fault."""
    head = await head_of(asker, params.get("id"))
    if head.state in OVER:
        raise Fault("TASK_NOT_CANCELABLE", "This task is over")
    await asker.market.runs.cancel(head.run_id, head.user_id)
    return await settled(asker, await asker.market.runs.kit.records.head(head.run_id), within_s=_CANCEL_S)


async def listing(asker: Asker, params: Mapping[str, Any]) -> dict[str, Any]:
    """The caller's tasks with this agent, newest first. Raises Fault, NotFound."""
    size = _number(params, "pageSize", _PAGE, 1, 100)
    wanted_state, wanted_context = params.get("status") or "", params.get("contextId") or ""
    if wanted_state and wanted_state not in shapes.STATES:
        raise Fault("INVALID_PARAMS", "status is no state of a task")
    agent_id = asker.path.removeprefix("own/")
    if agent_id == asker.path:
        publisher, _, slug = asker.path.partition("/")
        head, _ = await asker.market.listings.finding.page(
            publisher, slug.partition("@")[0], asker.principal.user_id
        )
        agent_id = head.agent_id
    before, user_id = _token(params.get("pageToken")), asker.principal.user_id
    read = asker.market.runs.kit.records.read
    bare = agent_id.partition("@")[0]
    heads = await read(lambda c: store.page(c, user_id, before, size, wire=WIRE, agent_id=bare))
    history = _number(params, "historyLength", 0, 0, 1000)
    whole = [await opened(asker, h) for h in heads]
    found = [
        shapes.task(of, history) for of in whole
        if wanted_context in ("", of.context_id) and wanted_state in ("", shapes.state_of(of.head))
    ]  # fmt: skip
    if params.get("includeArtifacts") not in (True, "true"):
        found = [{k: v for k, v in one.items() if k != "artifacts"} for one in found]
    more = f"{heads[-1].created_at}.{heads[-1].run_id}" if len(heads) == size else ""
    return {"tasks": found, "nextPageToken": more, "pageSize": size, "totalSize": len(found)}


def _number(params: Mapping[str, Any], name: str, default: int, least: int, most: int) -> int:
    value = params.get(name, default)
    if isinstance(value, str) and value.isdigit():
        value = int(value[:9])
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise Fault("INVALID_PARAMS", f"{name} must be from {least} to {most}")
    return value


def _token(given: Any) -> tuple[int, str] | None:
    if not given:
        return None
    at, _, name = str(given)[:120].partition(".")
    if not at.isdigit() or not name:
        raise Fault("INVALID_PARAMS", "pageToken is not one of ours")
    return int(at[:15]), name


async def told(asker: Asker, begun: Begun) -> AsyncIterator[dict[str, Any] | None]:
    """A task's stream responses until it is over or waits for somebody; None: nothing for a while. A hang-up ends nothing."""
    head, of = begun.head, await opened(asker, begun.head)
    yield {"task": shapes.task(msgspec.structs.replace(of, steps=[s for s in of.steps if s.n < begun.known]))}
    async for data in heard(asker.market, head, begun.after):
        shown = [
            one
            for told in shapes.told_in(data)
            if (one := shapes.event(told, head.run_id, of.context_id)) is not None
        ]
        if not shown:
            yield None
        for one in shown:
            yield one
    yield shapes.last_event(await opened(asker, await asker.market.runs.kit.records.head(head.run_id)))
