"""Whoever leaves before the first word pays for what the provider bills of it: never free without limit, never twice.

One test for each row of the table in docs/billing.md (abort rule x phase).
"""

import asyncio
from typing import Any

import pytest

from agent_marketplace.gateway.pulse import Rhythm
from agent_marketplace.ledger import Price, price_usage
from agent_marketplace.ledger.types import UsageRecord
from agent_marketplace.net.http import Timeouts
from agent_marketplace.usage import Usage
from tests.fakes.rig import Exchange, Rig, completion, on_rig
from tests.fakes.upstream import Behaviour

pytestmark = pytest.mark.both_databases

PRICES = {"input_": 10**9, "output": 2 * 10**9}
PRICE = Price(input=10**9, output=2 * 10**9)
BRISK = Rhythm(tail_s=0.3, rest_s=0.1, leave_s=0.3)
SLOW = Behaviour(head_delay=10)
RULES = {"mistral": "continues", "openrouter": "unknown"}


async def leave(rig: Rig, provider: str, *, stream: bool, tries: int = 1) -> UsageRecord:
    """Asks a provider, hangs up when the request has arrived there, and returns the usage row."""
    exchange = await asked(rig, provider, stream=stream)
    await rig.at[provider].arrived(tries)
    await written()
    exchange.hang_up()
    return await rig.row()


async def asked(rig: Rig, *providers: str, stream: bool, path: str = "/v1/chat/completions") -> Exchange:
    for provider in providers:
        await rig.declare(provider, **PRICES)
    only = {"only": list(providers), "order": list(providers)}
    return await rig.open(path, completion(stream=stream, provider=only))


async def written() -> None:
    """The request has arrived at the provider: a few turns of the loop later the gateway knows it, too."""
    for _ in range(20):
        await asyncio.sleep(0)


def input_alone(row: UsageRecord, tokens: int | None = None) -> int:
    return price_usage(PRICE, Usage(input=row.detail["input_estimate"] if tokens is None else tokens))


@pytest.mark.parametrize("stream", [False, True])
def test_a_provider_that_stops_its_bill_costs_nothing_and_is_let_go_at_once(tmp_path, stream) -> None:
    @on_rig(SLOW, rhythm=BRISK)
    async def run(rig: Rig) -> None:
        row = await leave(rig, "openai", stream=stream)
        assert (row.status, row.charge_nano, row.provider_cost_nano > 0) == ("cancelled", 0, True)
        assert row.detail["abort"] == "stops"
        assert "left" not in row.detail

    run(tmp_path)


@pytest.mark.parametrize("provider", RULES)
@pytest.mark.parametrize("stream", [False, True])
def test_a_provider_that_goes_on_or_may_bills_the_input_and_so_do_we(tmp_path, provider, stream) -> None:
    @on_rig(others={provider: [SLOW]}, rhythm=BRISK)
    async def run(rig: Rig) -> None:
        row = await leave(rig, provider, stream=stream)
        assert (row.status, row.detail["abort"]) == ("cancelled", RULES[provider])
        assert row.charge_nano == input_alone(row) > 0
        assert (row.usage.output, row.usage.estimated) == (0, True)
        assert row.provider_cost_nano == input_alone(row), "the operator owes it once, not twice"
        assert "bills the input" in row.detail["left"]

    run(tmp_path)


@pytest.mark.parametrize("stream", [False, True])
def test_usage_that_comes_within_the_wait_says_what_the_input_cost(tmp_path, stream) -> None:
    behaviour = Behaviour(head_delay=0.3, usage=(4321, 7), text="Too late for whoever asked.")

    @on_rig(others={"mistral": [behaviour]}, rhythm=Rhythm(tail_s=0.3, rest_s=0.1, leave_s=5))
    async def run(rig: Rig) -> None:
        row = await leave(rig, "mistral", stream=stream)
        assert row.usage.output == 0
        assert row.charge_nano == (input_alone(row) if stream else input_alone(row, 4321))
        assert len(rig.at["mistral"].requests) == 1

    run(tmp_path)


def test_what_was_not_yet_written_costs_nothing_whatever_the_rule(tmp_path) -> None:
    @on_rig(others={"mistral": [Behaviour()]}, rhythm=BRISK)
    async def run(rig: Rig) -> None:
        waiting = asyncio.Event()

        class Stuck:
            """A client that finds no connection."""

            async def send(self, _request: Any) -> Any:
                waiting.set()
                await asyncio.Event().wait()

            async def close(self) -> None:
                return

        rig.market.client.real, real = Stuck(), rig.market.client.real
        exchange = await asked(rig, "mistral", stream=True)
        await waiting.wait()
        exchange.hang_up()
        row = await rig.row()
        rig.market.client.real = real
        assert (row.status, row.charge_nano, row.provider_cost_nano) == ("cancelled", 0, 0)

    run(tmp_path)


def test_a_try_that_failed_before_stays_the_operators(tmp_path) -> None:
    silent = Behaviour(head_delay=3)

    @on_rig(
        others={"mistral": [silent], "openrouter": [SLOW]}, rhythm=BRISK,
        timeouts=Timeouts(connect_s=1, first_byte_s=1, idle_s=1, total_s=20),
    )  # fmt: skip
    async def run(rig: Rig) -> None:
        exchange = await asked(rig, "mistral", "openrouter", stream=True)
        await rig.at["openrouter"].arrived(1)
        await written()
        exchange.hang_up()
        row = await rig.row()
        assert [a["status"] for a in row.detail["attempts"]] == ["failed", "abandoned"]
        assert row.charge_nano == input_alone(row), "of two tries, the one that was under way"
        assert row.provider_cost_nano == 2 * input_alone(row)

    run(tmp_path)


def test_after_a_hang_up_no_other_try_begins(tmp_path) -> None:
    fails = Behaviour(head_delay=0.3, status=500)

    @on_rig(
        others={"mistral": [fails], "openrouter": [SLOW]}, rhythm=Rhythm(tail_s=0.3, rest_s=0.1, leave_s=5)
    )
    async def run(rig: Rig) -> None:
        exchange = await asked(rig, "mistral", "openrouter", stream=True)
        await rig.at["mistral"].arrived(1)
        await written()
        exchange.hang_up()
        row = await rig.row()
        assert (row.status, row.charge_nano) == ("cancelled", 0), "a provider that failed bills nothing"
        assert not rig.at["openrouter"].requests

    run(tmp_path)


def test_a_stop_before_the_first_word_is_answered_at_once_with_what_it_costs(tmp_path) -> None:
    @on_rig(others={"mistral": [SLOW]}, rhythm=Rhythm(tail_s=0.3, rest_s=0.1))
    async def run(rig: Rig) -> None:
        await rig.declare("mistral", **PRICES)
        body = completion(stream=True, provider={"only": ["mistral"]}, message="Say something.")
        body |= {"resumable": True, "run_id": "run_abcdefgh2"}
        body.pop("messages")
        exchange = await rig.open("/api/v1/agents/chat", body)
        await rig.at["mistral"].arrived(1)
        await written()
        await rig.call("/api/v1/agents/runs/run_abcdefgh2/stop", {})
        async with asyncio.timeout(5):
            told = (await exchange.rest()).data[-1]
        row = await rig.row()
        assert (told["type"], told["finish_reason"]) == ("done", "stopped")
        assert round(told["cost"] * 10**9) == row.charge_nano == input_alone(row)
        assert "bills the input" in told["left"]

    run(tmp_path)


def test_the_servers_own_stop_before_the_first_word_is_the_operators(tmp_path) -> None:
    @on_rig(others={"mistral": [SLOW]}, rhythm=BRISK, grace_s=0.2)
    async def run(rig: Rig) -> None:
        await asked(rig, "mistral", stream=True)
        await rig.at["mistral"].arrived(1)
        await written()
        rig.server.stop()
        await rig.stopped()
        row = await rig.row()
        assert (row.status, row.charge_nano) == ("failed", 0)

    run(tmp_path)


def test_who_leaves_twenty_times_pays_twenty_times(tmp_path) -> None:
    @on_rig(others={"mistral": [SLOW]}, rhythm=BRISK)
    async def run(rig: Rig) -> None:
        exchanges = [await asked(rig, "mistral", stream=True) for _ in range(20)]
        await rig.at["mistral"].arrived(20)
        await written()
        for exchange in exchanges:
            exchange.hang_up()
        await rig.quiet()
        rows = await rig.rows()
        assert [r.charge_nano for r in rows] == [input_alone(rows[0])] * 20

    run(tmp_path)


async def _claims(rig: Rig, **fields: Any) -> UsageRecord:
    await rig.declare("mistral", **PRICES)
    answer = await rig.chat(provider={"only": ["mistral"]}, **fields)
    assert answer.status == 200
    return await rig.row()


@pytest.mark.parametrize("stream", [False, True])
def test_output_claimed_beyond_what_was_asked_for_is_recorded_and_not_charged(tmp_path, stream) -> None:
    @on_rig(others={"mistral": [Behaviour(text="Sixteen.", usage=(11, 9000))]}, rhythm=BRISK)
    async def run(rig: Rig) -> None:
        row = await _claims(rig, stream=stream, max_tokens=16)
        assert 16 <= row.usage.output <= 24
        assert row.charge_nano <= min(row.hold_nano, price_usage(PRICE, row.usage))
        assert row.absorbed_nano == 0
        assert row.detail["claimed_output_tokens"] == 9000
        assert row.provider_cost_nano == price_usage(PRICE, Usage(input=11, output=9000))

    run(tmp_path)
