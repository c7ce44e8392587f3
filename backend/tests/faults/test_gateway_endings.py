"""How an answer can end besides well: the client leaves, asks to stop, reads slowly; the server drains. Each has its bill."""

import asyncio
import gc
import random
import threading

import pytest

from agent_marketplace.errors import Unavailable
from agent_marketplace.gateway import preparing
from agent_marketplace.gateway.flight import Flight
from agent_marketplace.gateway.pulse import Rhythm
from agent_marketplace.ledger import price_usage
from agent_marketplace.usage import Usage
from agent_marketplace.wires.base import Call
from agent_marketplace.wires.shared.tokens import count_call, count_text
from tests.fakes.rig import MODEL, Rig, completion, on_rig
from tests.fakes.upstream import Behaviour

pytestmark = pytest.mark.both_databases

WORDS = " ".join(f"word{i}" for i in range(40))
PATHS = ("/v1/chat/completions", "/api/v1/agents/completion", "/api/v1/agents/chat")


def body(path: str, *, stream: bool = True) -> dict[str, object]:
    if path.endswith("/chat"):
        return {"model": MODEL, "message": "Say something.", "stream": stream}
    return completion(stream=stream)


def owed(rig: Rig, text: str, input_tokens: int) -> int:
    """The written rule for an answer that was cut without usage."""
    return price_usage(rig.price(), Usage(input=input_tokens, output=count_text(text)))


def chunks(text: str, count: int) -> str:
    return "".join(w + " " for w in text.split(" ")[:count])


@on_rig(Behaviour(text=WORDS, stepped=True))
async def test_a_client_that_leaves_at_a_random_piece_pays_for_what_was_sent_once(rig: Rig) -> None:
    dice = random.Random(7)
    for turn in range(60):
        path = PATHS[turn % 3]
        sent = dice.randrange(0, 40)
        rig.up._permits = asyncio.Semaphore(0)
        exchange = await rig.open(path, body(path))
        seen = await rig.up.arrived(turn + 1)
        rig.up.release(sent)
        if sent:
            await exchange.until(1)
            while seen.chunks_sent < sent:
                await asyncio.sleep(0)
        exchange.hang_up()
        async with asyncio.timeout(5):
            await seen.over.wait()
        assert seen.hung_up
        assert seen.chunks_sent == sent
    await rig.quiet()
    rows = await rig.rows()
    assert len(rows) == 60
    assert {r.status for r in rows} == {"cancelled"}
    for row in rows:
        # What the gateway had read when it heard of the hang-up is at most what the provider had sent.
        assert row.charge_nano <= owed(rig, WORDS + " ", row.detail["input_estimate"])
        assert (row.charge_nano == 0) == (row.usage.output == 0)
        assert row.charge_nano == price_usage(rig.price(), row.usage)


@on_rig(Behaviour(text=WORDS, stepped=True))
async def test_the_bill_of_a_client_that_left_is_exactly_what_had_arrived(rig: Rig) -> None:
    for turn, sent in enumerate((1, 7, 39)):
        rig.up._permits = asyncio.Semaphore(0)
        exchange = await rig.open("/v1/chat/completions", body("/v1/chat/completions"))
        await rig.up.arrived(turn + 1)
        rig.up.release(sent)
        await exchange.until(sent)
        exchange.hang_up()
        await rig.up.settled()
        await rig.quiet()
        row = (await rig.rows())[-1]
        assert row.usage.estimated
        assert row.charge_nano == owed(rig, chunks(WORDS, sent), row.detail["input_estimate"])
        assert row.detail["abort"] == "stops"


@on_rig(Behaviour(head_delay=5))
async def test_who_leaves_before_the_first_token_pays_nothing_and_the_provider_is_let_go(rig: Rig) -> None:
    turn = 0
    for path in PATHS:
        for stream in (False, True):
            exchange = await rig.open(path, body(path, stream=stream))
            turn += 1
            seen = await rig.up.arrived(turn)
            exchange.hang_up()
            async with asyncio.timeout(2):
                await seen.over.wait()
            assert seen.hung_up
    await rig.quiet()
    rows = await rig.rows()
    assert [(r.status, r.charge_nano) for r in rows] == [("cancelled", 0)] * 6
    assert all(r.provider_cost_nano > 0 for r in rows), (
        "the provider may bill the input: that is the operator's cost"
    )
    assert await rig.spent() == 0


@on_rig(Behaviour())
async def test_who_leaves_while_the_request_is_being_admitted_leaves_no_hold(rig: Rig) -> None:
    for turn in range(30):
        path = PATHS[turn % 3]
        exchange = await rig.open(path, body(path, stream=turn % 2 == 0))
        for _ in range(turn):
            await asyncio.sleep(0)
        exchange.hang_up()
    await rig.quiet()
    await asyncio.sleep(0.05)
    await rig.quiet()


@on_rig(Behaviour(head_delay=0.4), rhythm=Rhythm(beat_s=0.05))
async def test_a_long_plain_call_keeps_its_hold_alive(rig: Rig) -> None:
    beats = []
    heartbeat = rig.market.ledger.heartbeat

    async def counted(request_id: str, ttl_s: float = 120, *, progress_nano: int | None = None) -> bool:
        beats.append(progress_nano)
        return await heartbeat(request_id, ttl_s, progress_nano=progress_nano)

    rig.market.ledger.heartbeat = counted  # type: ignore[method-assign]
    assert (await rig.chat()).status == 200
    assert len(beats) >= 3
    beats.clear()
    await asyncio.sleep(0.15)
    assert not beats, "a finished call beats no more"


@on_rig(Behaviour(text=WORDS, chunk_delay=0.02), rhythm=Rhythm(beat_s=0.1))
async def test_a_running_stream_notes_what_it_would_cost_if_the_process_died(rig: Rig) -> None:
    noted: list[int] = []
    heartbeat = rig.market.ledger.heartbeat

    async def counted(request_id: str, ttl_s: float = 120, *, progress_nano: int | None = None) -> bool:
        noted.append(progress_nano or 0)
        return await heartbeat(request_id, ttl_s, progress_nano=progress_nano)

    rig.market.ledger.heartbeat = counted  # type: ignore[method-assign]
    assert (await rig.chat(stream=True)).ending == "done"
    assert noted == sorted(noted)
    assert noted[-1] > 0


@on_rig(Behaviour(text="z" * 4000, endless=True), balance=10**11)
async def test_a_slow_reader_slows_the_provider_down(rig: Rig) -> None:
    exchange = await rig.open("/v1/chat/completions", completion(stream=True))
    exchange.reader._transport.pause_reading()  # type: ignore[attr-defined]
    seen = await rig.up.arrived(1)
    before = -1
    async with asyncio.timeout(15):
        while seen.bytes_sent != before:
            before = seen.bytes_sent
            await asyncio.sleep(0.5)
    assert seen.bytes_sent < 64 << 20
    exchange.hang_up()
    await rig.up.settled()
    assert seen.hung_up


@on_rig(Behaviour(text=WORDS, chunk_delay=0.5), grace_s=0.3)
async def test_when_the_grace_is_over_streams_end_typed_and_paid(rig: Rig) -> None:
    streams = [await rig.open(path, body(path)) for path in PATHS]
    plain = await rig.open(PATHS[0], body(PATHS[0], stream=False))
    late = await rig.open(PATHS[0], body(PATHS[0]))
    await rig.up.arrived(5)
    await asyncio.gather(*(exchange.until(1) for exchange in streams))
    waiting = asyncio.gather(*(e.rest() for e in (*streams, plain, late)))
    rig.server.stop()
    pieces = rig.market.router.handle_streaming(rig.user_id, MODEL, "Too late")
    with pytest.raises(Unavailable):
        await anext(pieces)
    answers = await waiting
    for answer in answers[:3]:
        assert (answer.status, answer.whole) == (200, True)
        assert answer.ending == "temporarily_unavailable", answer.body[-300:]
    # The plain call had its answer at once: only streams are stepped.
    assert answers[3].status == 200
    assert answers[4].ending == "temporarily_unavailable" or answers[4].status == 503


@on_rig(Behaviour(head_delay=5), grace_s=0.2)
async def test_what_has_not_begun_when_the_grace_is_over_is_told_503(rig: Rig) -> None:
    exchanges = [
        await rig.open(path, body(path, stream=stream)) for path in PATHS for stream in (False, True)
    ]
    await rig.up.arrived(6)
    rig.server.stop()
    for exchange in exchanges:
        answer = await exchange.rest()
        assert (answer.status, answer.code, answer.whole) == (503, "temporarily_unavailable", True)
        assert answer.headers["retry-after"]


@on_rig(Behaviour(text=WORDS, stepped=True))
async def test_a_resumable_answer_survives_its_connection_and_is_replayed_from_any_event(rig: Rig) -> None:
    first = await rig.open(
        "/api/v1/agents/chat", body("/api/v1/agents/chat") | {"resumable": True, "run_id": "run_abcdefgh1"}
    )
    rig.up.release(5)
    await first.until(1)
    first.hang_up()
    rig.up.release(40)
    seen = await rig.up.arrived(1)
    await seen.over.wait()
    assert seen.completed
    whole = await rig.call("/api/v1/agents/runs/run_abcdefgh1/events", b"", method="GET")
    assert whole.ending == "done"
    assert whole.text.split() == WORDS.split()
    ids = [line for line in whole.body.decode().split("\n") if line.startswith("id: ")]
    assert ids == [f"id: {n}" for n in range(len(ids))]
    tail = await rig.call(
        "/api/v1/agents/runs/run_abcdefgh1/events", b"", {"last-event-id": str(len(ids) - 2)}, method="GET"
    )
    assert [e["type"] for e in tail.data] == ["done"]
    row = await rig.row()
    assert (row.status, row.charge_nano) == ("ok", rig.cost(11, 7))


@on_rig(Behaviour(text=WORDS, stepped=True))
async def test_stop_ends_a_run_politely_before_and_after_its_first_token(rig: Rig) -> None:
    for number, sent in enumerate((0, 4)):
        run_id = f"run_abcdefgh{number}"
        asked = body("/api/v1/agents/chat") | {"resumable": True, "run_id": run_id}
        exchange = await rig.open("/api/v1/agents/chat", asked)
        seen = await rig.up.arrived(number + 1)
        rig.up.release(sent)
        if sent:
            await exchange.until(1)
        stopped = await rig.call(f"/api/v1/agents/runs/{run_id}/stop", b"")
        assert stopped.json["stopped"] is True
        answer = await exchange.rest()
        assert (answer.ending, answer.data[-1]["finish_reason"]) == ("done", "stopped")
        await seen.over.wait()
        assert seen.hung_up
        again = await rig.call(f"/api/v1/agents/runs/{run_id}/stop", b"")
        assert again.json["stopped"] is False
    rows = await rig.rows()
    assert [r.status for r in rows] == ["cancelled", "cancelled"]
    assert rows[0].charge_nano == 0 < rows[1].charge_nano


@on_rig(Behaviour(text=WORDS, stepped=True))
async def test_nobody_reads_or_stops_anothers_run(rig: Rig) -> None:
    exchange = await rig.open(
        "/api/v1/agents/chat", body("/api/v1/agents/chat") | {"resumable": True, "run_id": "run_abcdefgh1"}
    )
    await rig.up.arrived(1)
    other = await rig.market.accounts.auth.create_user("other@example.com", "another horse, not the comic")
    key = (await rig.market.accounts.keys.create(other.user_id, "theirs")).key
    for path, method in (("events", "GET"), ("stop", "POST")):
        answer = await rig.call(
            f"/api/v1/agents/runs/run_abcdefgh1/{path}",
            b"",
            {"authorization": f"Bearer {key}"},
            method=method,
        )
        assert answer.status == 404
    rig.up.release(50)
    assert (await exchange.rest()).ending == "done"


@on_rig(Behaviour(status=500))
async def test_a_run_that_fails_before_its_first_event_is_an_error_status(rig: Rig) -> None:
    answer = await rig.call("/api/v1/agents/chat", body("/api/v1/agents/chat") | {"resumable": True})
    assert (answer.status, answer.code) == (502, "provider_unavailable")


@on_rig(Behaviour(text=WORDS, stepped=True), grace_s=0.3)
async def test_a_run_is_settled_when_the_server_stops(rig: Rig) -> None:
    exchange = await rig.open("/api/v1/agents/chat", body("/api/v1/agents/chat") | {"resumable": True})
    rig.up.release(3)
    await exchange.until(1)
    began = asyncio.get_running_loop().time()
    rig.server.stop()
    await exchange.rest()
    assert exchange.answer.ending == "temporarily_unavailable"
    await rig.stopped()
    assert (await rig.row()).status == "partial"
    assert asyncio.get_running_loop().time() - began < 4


@on_rig(Behaviour(text=WORDS, stepped=True))
async def test_the_guides_stream_can_be_left_early(rig: Rig) -> None:
    pieces = rig.market.router.handle_streaming(rig.user_id, MODEL, "Say something")
    rig.up.release(2)
    assert await anext(pieces)
    await pieces.aclose()  # type: ignore[attr-defined]
    await rig.up.settled()
    assert rig.up.requests[0].hung_up
    assert (await rig.row()).status == "cancelled"


@on_rig(Behaviour(head_delay=5))
async def test_a_deadline_of_the_caller_in_process_ends_in_a_settled_call(rig: Rig) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await rig.market.router.route_completion(rig.user_id, MODEL, "Say something")
    assert (await rig.row()).status == "cancelled"


@on_rig(Behaviour())
async def test_counting_a_long_prompt_holds_up_nobody_else(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    on_the_loop: list[bool] = []
    loops_thread = threading.get_ident()

    def noted(call: Call) -> int:
        on_the_loop.append(threading.get_ident() == loops_thread)
        return count_call(call)

    monkeypatch.setattr(preparing, "count_call", noted)
    for text in ("Hi", "word " * 100_000):
        assert (await rig.call("/api/v1/agents/completion", {"model": MODEL, "prompt": text})).status in (
            200,
            402,
        )
    assert on_the_loop == [True, False]


@on_rig(Behaviour())
async def test_a_call_that_is_over_is_no_work_for_the_collector(rig: Rig) -> None:
    """What is in a circle stays until it is looked for, and looking costs everybody's time."""
    await rig.chat()
    await rig.quiet()
    gc.collect()
    gc.disable()
    try:
        for stream in (False, True, False):
            await rig.chat(stream=stream)
        await rig.quiet()
        async with asyncio.timeout(5):  # the web server lets go of an answer a little after its last byte
            while any(isinstance(found, Flight) for found in gc.get_objects()):
                await asyncio.sleep(0.01)
    finally:
        gc.enable()
