"""A client's next turn that answers a run which waits: by its wire's own form (Responses), or in words with the question's code."""

import re
from collections.abc import Mapping

import msgspec

from agent_marketplace import json
from agent_marketplace.accounts.principal import Principal
from agent_marketplace.app import Market
from agent_marketplace.errors import BadRequest, Conflict, NotFound
from agent_marketplace.runs import questions, store
from agent_marketplace.runs.presets import FIELD, names_agent
from agent_marketplace.runs.types import Approval, Head
from agent_marketplace.wires.base import Call, Message, OpaquePart, TextPart
from agent_marketplace.wires.responses.client_side import APPROVAL

_RUN = re.compile(r"\brun_[0-9a-z]{8,64}\b")
_ANSWER = "mcp_approval_response"
_LINK = b"previous_response_id"
OURS = frozenset({
    "mcp_call", "mcp_approval_request", _ANSWER, "mcp_list_tools", "mcp_tool_use", "mcp_tool_result",
})  # fmt: skip
"""Items and blocks of earlier answers that tell of our own calls: their run knows them better."""


class Wish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`agent` in a client's body. attended: somebody is there to give leave; run_id: the run to go on with."""

    attended: bool = True
    run_id: str = ""


class TakenUp(msgspec.Struct, frozen=True):
    """A run to go on with. answers: to its questions; words: the next turn of a paused run."""

    head: Head
    answers: Mapping[str, tuple[str, bool]]
    words: str = ""


def unlinked(body: bytes) -> bytes:
    """The body of a Responses request without the name of the answer that it follows, where it answers an agent's question: the
    question names its run."""
    if _LINK not in body or _ANSWER.encode() not in body:
        return body
    try:
        request = json.decode(body)
    except ValueError:
        return body  # the codec has the words for it
    if not isinstance(request, dict) or not names_agent(str(request.get("model"))):
        return body
    return json.encode({k: v for k, v in request.items() if k != _LINK.decode()})


def wish_of(call: Call) -> Wish:
    """Raises BadRequest."""
    try:
        return msgspec.convert(call.extra.get(FIELD) or {}, Wish)
    except msgspec.ValidationError as error:
        raise BadRequest(f"agent: {error}") from None


def turns_of(call: Call) -> tuple[Message, ...]:
    """What the agent reads: without what only tells of earlier calls on our side."""
    kept = []
    for message in call.messages:
        parts = tuple(p for p in message.parts if not (isinstance(p, OpaquePart) and p.kind in OURS))
        if parts:
            kept.append(msgspec.structs.replace(message, parts=parts))
    return tuple(kept)


async def taken_up(market: Market, principal: Principal, call: Call, wish: Wish) -> TakenUp | None:
    """The run that a call goes on with; None: it begins one.

    Raises BadRequest, NotFound, Conflict (another call is asked about, or it was answered).
    """
    if given := _responses(call):
        return await _by_items(market, principal, given)
    words = _words(call)
    run_id = wish.run_id or (_named(call) if questions.is_answer(words) else "")
    if not run_id:
        return None
    try:
        head = await market.runs.kit.records.head(run_id, principal.user_id)
    except NotFound:
        if wish.run_id:
            raise
        return None
    if head.state == "paused":
        return TakenUp(head, {}, words)
    if head.state != "waiting":
        if wish.run_id:
            raise Conflict(f"This run takes no words now: it is {head.state}", extra={"run_id": run_id})
        return None
    asked = [a for a in await market.runs.kit.records.approvals(run_id) if a.state == "pending"]
    answers = questions.answer_in(words, asked)
    if answers is None:
        code = questions.code_of(asked)
        raise Conflict(
            f"The run {run_id} waits for leave: answer `allow {code}` or `deny {code}`", code="approval_stale",
            extra={"run_id": run_id},
        )  # fmt: skip
    return TakenUp(head, answers)


def _words(call: Call) -> str:
    last = call.messages[-1] if call.messages else None
    if last is None or last.role != "user":
        return ""
    return "".join(p.text for p in last.parts if isinstance(p, TextPart))


def _named(call: Call) -> str:
    """The last run that the assistant's last words name."""
    for message in reversed(call.messages):
        if message.role == "assistant":
            found = _RUN.findall("".join(p.text for p in message.parts if isinstance(p, TextPart)))
            return found[-1] if found else ""
    return ""


def _responses(call: Call) -> dict[str, bool]:
    """{approval id: allowed} of the items behind the assistant's last turn."""
    found: dict[str, bool] = {}
    for message in reversed(call.messages):
        items = [p for p in message.parts if isinstance(p, OpaquePart) and p.kind == _ANSWER]
        if not items:
            break
        for item in items:
            name, allow = item.value.get("approval_request_id"), item.value.get("approve")
            if not isinstance(name, str) or not isinstance(allow, bool):
                raise BadRequest(f"{_ANSWER}: needs approval_request_id and approve")
            found[name.removeprefix(APPROVAL)] = allow
    return found


async def _by_items(market: Market, principal: Principal, given: Mapping[str, bool]) -> TakenUp:
    records, user_id = market.runs.kit.records, principal.user_id
    pending: list[Approval] = await records.read(lambda c: store.pending(c, user_id))
    known = {a.approval_id: a for a in pending if a.approval_id in given}
    runs = {a.run_id for a in known.values()}
    if len(known) != len(given) or len(runs) != 1:
        raise Conflict("This was answered, has expired, or was never asked", code="approval_stale")
    head = await records.head(runs.pop(), user_id)
    return TakenUp(head, {name: (known[name].subject_hash, allow) for name, allow in given.items()})
