"""Money under parallel load, and every cell of the billing policy table (docs/billing.md), named after what it decides."""

import asyncio

import pytest

from agent_marketplace.accounts.keys import Cap
from agent_marketplace.ledger import price_usage
from agent_marketplace.net.http import Timeouts
from agent_marketplace.usage import Usage
from agent_marketplace.wires.shared.tokens import count_text
from tests.fakes.rig import Rig, completion, on_rig
from tests.fakes.upstream import Behaviour

pytestmark = pytest.mark.both_databases

PATIENT = Timeouts(connect_s=30, first_byte_s=90, idle_s=90, total_s=180)
STALL = Timeouts(connect_s=2, first_byte_s=2, idle_s=0.4, total_s=5)
LONG = " ".join(f"word{i}" for i in range(40))
K, N, CAP = 37, 128, 100


async def held_for(rig: Rig, max_tokens: int) -> int:
    """What one request of the trial needs, in nano-dollars: as the refusal of an empty wallet says."""
    refused = await rig.chat(max_tokens=max_tokens)
    assert refused.status == 402
    return round(refused.error["metadata"]["required"] * 10**9)


async def race(rig: Rig, n: int, path: str, **fields: object) -> list[int]:
    """Statuses of n requests that start together; the provider answers only when all have been admitted or refused."""
    exchanges = await asyncio.gather(*(rig.open(path, completion(**fields)) for _ in range(n)))
    calls = [asyncio.create_task(exchange.rest()) for exchange in exchanges]
    await rig.up.decided(
        calls
    )  # an answer that came sooner would give back what its hold has left, for one call more
    rig.up.open_gate()
    answers = await asyncio.gather(*calls)
    for answer in answers:
        if answer.status == 402:
            assert answer.code == "payment_required"
    return [answer.status for answer in answers]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/api/v1/agents/completion"])
@pytest.mark.parametrize("stream", [False, True])
def test_of_many_parallel_calls_exactly_as_many_are_admitted_as_the_balance_holds(
    tmp_path, path, stream
) -> None:
    @on_rig(Behaviour(gated=True, usage=(11, CAP)), balance=0, timeouts=PATIENT)
    async def run(rig: Rig) -> None:
        one = await held_for(rig, CAP)
        await rig.market.ledger.grant(rig.user_id, one * K, kind="credit")
        statuses = await race(rig, N, path, stream=stream, max_tokens=CAP)
        assert (statuses.count(200), statuses.count(402)) == (K, N - K)
        assert len(rig.up.requests) == K
        rows = await rig.rows()
        assert [r.charge_nano for r in rows] == [rig.cost(11, CAP)] * K
        assert (await rig.wallet())[0] == one * K - rig.cost(11, CAP) * K >= 0

    run(tmp_path)


@on_rig(Behaviour(gated=True, usage=(11, 7)), balance=200_000, timeouts=PATIENT)
async def test_without_max_tokens_parallel_calls_never_overdraw_and_the_provider_is_told_what_the_hold_buys(
    rig: Rig,
) -> None:
    statuses = await race(rig, N, "/v1/chat/completions")
    assert set(statuses) == {200, 402}
    rows = await rig.rows()
    assert sum(r.hold_nano for r in rows) <= 200_000
    assert [r.charge_nano + r.absorbed_nano for r in rows] == [rig.cost(11, 7)] * len(rows)
    for row, seen in zip(
        sorted(r.hold_nano for r in rows), sorted(s.json["max_tokens"] for s in rig.up.requests), strict=True
    ):
        assert seen >= 16
        assert seen * 600 <= row


@on_rig(Behaviour(gated=True), balance=0, timeouts=PATIENT)
async def test_a_keys_cap_is_not_passed_by_parallel_calls(rig: Rig) -> None:
    one = await held_for(rig, CAP)
    await rig.market.ledger.grant(rig.user_id, 10**9, kind="credit")
    key = await rig.market.accounts.keys.create(rig.user_id, "capped", cap=Cap(one * 5))
    given = {"authorization": f"Bearer {key.key}"}
    exchanges = await asyncio.gather(
        *(rig.open("/v1/chat/completions", completion(max_tokens=CAP), given) for _ in range(20))
    )
    calls = [asyncio.create_task(exchange.rest()) for exchange in exchanges]
    await rig.up.decided(calls)
    rig.up.open_gate()
    answers = await asyncio.gather(*calls)
    assert [a.status for a in answers].count(200) == 5
    refused = next(a for a in answers if a.status == 402)
    assert refused.error["metadata"]["scope"] == "key"
    assert refused.error["metadata"]["cap"] == one * 5 / 10**9


# -- every cell of the table --------------------------------------------------------------------------------------


def estimate(rig: Rig, row, text: str) -> int:
    return price_usage(rig.price(), Usage(input=row.detail["input_estimate"], output=count_text(text)))


async def stream_of(rig: Rig, sent: int, **fields: object):
    """A stream of which `sent` pieces have arrived, still running."""
    exchange = await rig.open("/v1/chat/completions", completion(stream=True, **fields))
    await rig.up.arrived(1)
    rig.up.release(sent)
    if sent:
        await exchange.until(sent)
    return exchange


@on_rig(Behaviour())
async def test_finished_with_usage_costs_the_providers_usage(rig: Rig) -> None:
    await rig.chat(stream=True)
    row = await rig.row()
    assert (row.status, row.charge_nano, row.usage.estimated) == ("ok", rig.cost(11, 7), False)


@on_rig(Behaviour(usage={"prompt_tokens": 0, "completion_tokens": 0}))
async def test_finished_with_an_explicit_zero_costs_nothing(rig: Rig) -> None:
    await rig.chat(stream=True)
    row = await rig.row()
    assert (row.status, row.charge_nano, row.usage.estimated) == ("ok", 0, False)


@on_rig(Behaviour(usage=None))
async def test_finished_without_usage_costs_our_count_marked_estimated(rig: Rig) -> None:
    await rig.chat(stream=True)
    row = await rig.row()
    assert (row.status, row.usage.estimated) == ("ok", True)
    assert row.charge_nano == estimate(rig, row, "Hello from the fake upstream . ")


@on_rig(Behaviour(usage=None, text=""))
async def test_finished_with_nothing_delivered_and_no_usage_costs_the_input(rig: Rig) -> None:
    await rig.chat(stream=True)
    row = await rig.row()
    assert (row.status, row.usage.output) == ("ok", 0)
    assert row.charge_nano == price_usage(rig.price(), Usage(input=row.detail["input_estimate"]))


@on_rig(Behaviour(stepped=True))
async def test_client_left_with_nothing_delivered_costs_nothing(rig: Rig) -> None:
    exchange = await stream_of(rig, 0)
    exchange.hang_up()
    row = await rig.row()
    assert (row.status, row.charge_nano) == ("cancelled", 0)


@on_rig(Behaviour(text=LONG, stepped=True))
async def test_client_left_with_something_delivered_and_no_usage_costs_our_count(rig: Rig) -> None:
    exchange = await stream_of(rig, 5)
    exchange.hang_up()
    row = await rig.row()
    assert (row.status, row.usage.estimated) == ("cancelled", True)
    assert row.charge_nano == estimate(rig, row, "".join(w + " " for w in LONG.split()[:5]))


def running_usage(after: int) -> tuple[bytes, ...]:
    """Two pieces, usage so far, `after` more pieces, then silence: as providers that report as they go."""

    def chunk(text: str, usage: str = "null") -> bytes:
        return b'data: {"choices":[{"index":0,"delta":{"content":"%b"}}],"usage":%b}\n\n' % (
            text.encode(),
            usage.encode(),
        )

    head = (chunk("one "), chunk("two ", '{"prompt_tokens": 11, "completion_tokens": 2}'))
    return head + tuple(chunk("more ") for _ in range(after))


@pytest.mark.parametrize("after", [0, 3])
def test_provider_cut_with_usage_so_far_costs_it_and_what_came_after_by_our_count(tmp_path, after) -> None:
    @on_rig(Behaviour(frames=running_usage(after)))
    async def run(rig: Rig) -> None:
        answer = await rig.chat(stream=True)
        assert answer.ending == "provider_unavailable"
        row = await rig.row()
        assert row.status == "partial"
        assert row.usage.estimated == bool(after)
        assert row.charge_nano == rig.cost(11, 2 + count_text("more " * after))

    run(tmp_path)


@on_rig(Behaviour(cut_after=0))
async def test_provider_cut_with_nothing_delivered_costs_nothing(rig: Rig) -> None:
    assert (await rig.chat(stream=True)).status == 502
    row = await rig.row()
    assert (row.status, row.charge_nano) == ("failed", 0)


@on_rig(Behaviour(cut_after=3))
async def test_provider_cut_with_something_delivered_and_no_usage_costs_our_count(rig: Rig) -> None:
    await rig.chat(stream=True)
    row = await rig.row()
    assert (row.status, row.charge_nano) == ("partial", estimate(rig, row, "Hello from the "))


@on_rig(Behaviour(stall_after=3), timeouts=STALL)
async def test_provider_stall_with_something_delivered_costs_our_count(rig: Rig) -> None:
    answer = await rig.chat(stream=True)
    row = await rig.row()
    assert answer.ending == "timeout"
    assert (row.status, row.charge_nano) == ("partial", estimate(rig, row, "Hello from the "))


@on_rig(Behaviour(first_delay=9), timeouts=STALL)
async def test_a_try_that_timed_out_is_the_operators_cost_not_the_users(rig: Rig) -> None:
    assert (await rig.chat()).status == 504
    row = await rig.row()
    assert row.charge_nano == 0
    assert row.provider_cost_nano == price_usage(rig.price(), Usage(input=row.detail["input_estimate"]))
    assert row.detail["attempts"][0]["may_be_billed"] is True


@on_rig(Behaviour(text="word " * 20_000), balance=700_000)
async def test_wallet_empty_in_mid_stream_costs_what_was_delivered(rig: Rig) -> None:
    answer = await rig.chat(stream=True)
    row = await rig.row()
    assert answer.ending == "payment_required"
    assert row.status == "partial"
    assert row.charge_nano + row.absorbed_nano == price_usage(rig.price(), row.usage)
    assert row.absorbed_nano == 0
    assert (await rig.wallet())[0] >= 0


@on_rig(Behaviour(text=LONG, stepped=True), grace_s=0.2)
async def test_server_stopped_with_something_delivered_costs_our_count(rig: Rig) -> None:
    exchange = await stream_of(rig, 4)
    rig.server.stop()
    assert (await exchange.rest()).ending == "temporarily_unavailable"
    await rig.stopped()
    row = await rig.row()
    assert row.status == "partial"
    assert row.charge_nano == estimate(rig, row, "".join(w + " " for w in LONG.split()[:4]))


@on_rig(Behaviour(stepped=True), grace_s=0.2)
async def test_server_stopped_with_nothing_delivered_costs_nothing(rig: Rig) -> None:
    exchange = await stream_of(rig, 0)
    rig.server.stop()
    assert (await exchange.rest()).status == 503
    await rig.stopped()
    row = await rig.row()
    assert (row.status, row.charge_nano) == ("failed", 0)


@on_rig(Behaviour(usage=(11, 900_000)))
async def test_usage_beyond_what_the_model_can_hold_is_not_believed(rig: Rig) -> None:
    await rig.chat()
    row = await rig.row()
    assert row.usage.estimated
    assert row.charge_nano < 20_000


@on_rig(Behaviour(usage=(5000, 11)), balance=20_000)
async def test_a_cost_above_the_hold_is_absorbed_and_not_charged(rig: Rig) -> None:
    assert (await rig.chat()).status == 200
    row = await rig.row()
    assert row.charge_nano == row.hold_nano <= 20_000
    assert row.charge_nano + row.absorbed_nano == rig.cost(5000, 11)
    assert await rig.wallet() == (20_000 - row.hold_nano, 0)


@on_rig(Behaviour())
async def test_reply_receipt_statement_and_balance_tell_the_same_cost(rig: Rig) -> None:
    answer = await rig.ask()
    cost = rig.cost(11, 7)
    assert f'"cost":{cost / 10**9:.9f}'.rstrip("0") in answer.body.decode()
    receipt = await rig.call(
        f"/api/v1/marketplace/generations/{answer.json['request_id']}", b"", method="GET"
    )
    assert receipt.status == 200
    statement = (await rig.call("/api/v1/marketplace/billing/statement", b"", method="GET")).json["entries"]
    assert statement[0]["request_id"] == answer.json["request_id"]
    assert round(answer.json["balance_remaining"] * 10**9) == 10**9 - cost == (await rig.wallet())[0]
