"""A hole in the sizing that stays open is paid by the operator for every caller who finds it."""

import pytest

from agent_marketplace import json
from agent_marketplace.clock import SystemClock
from agent_marketplace.errors import PaymentRequired
from agent_marketplace.gateway import store
from agent_marketplace.ledger import Price, price_usage
from agent_marketplace.ledger.types import UsageRecord
from agent_marketplace.usage import Usage
from tests.fakes.rig import Answer, Rig, on_rig
from tests.fakes.upstream import Behaviour

pytestmark = pytest.mark.both_databases

PRICE = Price(input=10**9, output=2 * 10**9)
CONTEXT = 50_000
BILLS_MUCH = Behaviour(usage=(40_000, 7))  # for a question of three words
PICTURE = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
LOOK = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": PICTURE}}]}]


async def ask(rig: Rig, **fields) -> Answer:
    await rig.declare("mistral", input_=PRICE.input, output=PRICE.output, context=CONTEXT)
    return await rig.chat(provider={"only": ["mistral"]}, max_tokens=20, **fields)


async def newest(rig: Rig) -> UsageRecord:
    await rig.quiet()
    return (await rig.rows())[-1]


@on_rig(others={"mistral": [BILLS_MUCH, BILLS_MUCH]}, balance=10**9)
async def test_an_offer_that_billed_more_than_was_held_is_held_for_at_its_largest_until_it_is_cleared(
    rig: Rig,
) -> None:
    bounds = rig.market.router.parts.bounds
    await ask(rig)
    first = await newest(rig)
    assert first.charge_nano == first.hold_nano, "the caller pays what was held"
    assert first.absorbed_nano == price_usage(PRICE, Usage(input=40_000, output=7)) - first.hold_nano > 0
    assert bounds.count == 1

    await ask(rig)
    second = await newest(rig)
    assert second.hold_nano >= price_usage(PRICE, Usage(input=CONTEXT, output=20))
    assert second.absorbed_nano == 0
    (known,) = await rig.market.db.read(store.broken)
    assert (known.provider, known.shape, known.request_id) == ("mistral", "text", first.request_id)

    assert await rig.market.db.write(lambda c: store.clear(c, "mistral", known.upstream_id, None)) == 1
    await bounds.refresh()
    assert bounds.count == 0
    await ask(rig)
    assert (await newest(rig)).hold_nano == first.hold_nano


@on_rig(others={"mistral": [BILLS_MUCH]}, balance=10**6)
async def test_a_wallet_that_can_not_cover_the_largest_is_refused_where_the_bound_failed(rig: Rig) -> None:
    assert (await ask(rig)).status == 200
    await newest(rig)
    refused = await ask(rig)
    assert (refused.status, refused.code) == (402, "payment_required")
    assert len(rig.at["mistral"].requests) == 1


@on_rig(others={"mistral": [BILLS_MUCH]}, balance=10**9)
async def test_other_kinds_of_calls_and_other_offers_keep_their_bound(rig: Rig) -> None:
    await ask(rig)
    await newest(rig)
    await rig.chat(max_tokens=20, provider={"only": ["openai"]})
    assert (await newest(rig)).hold_nano < price_usage(rig.price(), Usage(input=CONTEXT))
    assert rig.market.router.parts.bounds.broken_for(_call(rig, LOOK)) == frozenset()
    assert rig.market.router.parts.bounds.broken_for(_call(rig, [{"role": "user", "content": "Hi"}]))


def _call(rig: Rig, messages):
    return rig.market.codecs["openai"].parse_request(json.encode({"model": "m", "messages": messages}))


@on_rig(others={"mistral": [BILLS_MUCH]}, balance=10**9)
async def test_who_has_cost_the_operator_the_limit_is_served_only_what_is_sure_to_be_sized(rig: Rig) -> None:
    bounds = rig.market.router.parts.bounds
    bounds._limit_nano = 10**7
    await ask(rig)
    absorbed = (await newest(rig)).absorbed_nano
    assert absorbed > 10**7
    for reread in (False, True):
        if reread:
            await bounds.refresh()
        with pytest.raises(PaymentRequired) as refused:
            bounds.check(rig.user_id, unsized=True)
        assert refused.value.code == "unsizable"
        assert (await rig.chat(max_tokens=20)).status == 200
    bounds._clock = _Tomorrow()
    bounds.check(rig.user_id, unsized=True)
    bounds.check("somebody else", unsized=True)


class _Tomorrow:
    def now_ms(self) -> int:
        return SystemClock().now_ms() + 86_400_000
