"""Buyers see an uptime: a try that nobody answered is in it, once, and what a caller did wrong is not."""

import pytest

from agent_marketplace.gateway.observing import unanswered
from agent_marketplace.gateway.plan import Target
from agent_marketplace.wires.base import FailureClass
from tests.fakes.rig import MODEL, Rig, on_rig
from tests.fakes.upstream import HTML, Behaviour

GOOD = Behaviour()
HI = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 16}


def counted(rig: Rig, provider: str = "openai") -> tuple[int, int]:
    """(served, failed) as the catalogue will store them; health has seen the same."""
    counts = {c.measure: n for c, n in rig.market.catalog.traffic.take().items() if c.provider == provider}
    samples = rig.market.router.parts.health.samples.get((MODEL, provider))
    found = counts.get("served", 0), counts.get("failed", 0)
    assert ((samples.ok, samples.failed) if samples else (0, 0)) == found
    return found


@pytest.mark.parametrize(
    ("fault", "tries"),
    [
        (Behaviour(status=500), 2), (Behaviour(status=503), 2), (Behaviour(connect="reset"), 2),
        (Behaviour(raw=HTML, status=502, content_type="text/html"), 2),
        (Behaviour(raw=HTML, content_type="text/html"), 2),
        (Behaviour(status=429, headers={"Retry-After": "60"}), 1), (Behaviour(status=401), 1),
    ],
)  # fmt: skip
@pytest.mark.parametrize("stream", [False, True])
def test_tries_that_nobody_answered_are_in_the_uptime(tmp_path, fault: Behaviour, tries: int, stream) -> None:
    @on_rig(*[fault] * tries, GOOD)
    async def run(rig: Rig) -> None:
        await rig.call("/v1/chat/completions", HI | {"stream": stream})
        await rig.quiet()
        assert len(rig.up.requests) == tries
        assert counted(rig) == (0, tries)

    run(tmp_path)


@on_rig(Behaviour(status=500), GOOD)
async def test_a_retry_that_helps_leaves_its_failure_in_the_uptime(rig: Rig) -> None:
    assert (await rig.call("/v1/chat/completions", HI)).status == 200
    await rig.quiet()
    assert counted(rig) == (1, 1)


@on_rig(Behaviour(status=400), Behaviour(cut_after=2), GOOD)
async def test_a_bad_request_is_the_callers_and_a_cut_answer_counts_once(rig: Rig) -> None:
    assert (await rig.call("/v1/chat/completions", HI)).status == 400
    await rig.quiet()
    assert counted(rig) == (0, 0)
    await rig.call("/v1/chat/completions", HI | {"stream": True})
    await rig.quiet()
    assert counted(rig) == (0, 1)


@on_rig()
async def test_what_a_callers_own_key_earned_says_nothing_of_the_offer(rig: Rig) -> None:
    own = Target(model=MODEL, provider="openai", upstream_id=MODEL, credential="byok", price=None)
    health, catalog = rig.market.router.parts.health, rig.market.catalog
    for kind in (FailureClass.AUTH, FailureClass.QUOTA, FailureClass.RATE_LIMITED, FailureClass.NOT_FOUND):
        unanswered(own, kind, health, catalog)
    unanswered(own, FailureClass.BUSY, health, catalog)
    assert counted(rig) == (0, 0)
    unanswered(own, FailureClass.SERVER, health, catalog)
    assert catalog.traffic.take()
