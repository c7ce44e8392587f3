"""What one caller's failing request does to everybody else's: nothing, unless it says something about everybody."""

import json
from pathlib import Path

import pytest

from agent_marketplace.clock import ManualClock
from agent_marketplace.gateway.health import Health, Lane
from agent_marketplace.wires.base import FailureClass, UpstreamFailure
from agent_marketplace.wires.shared.failures import kind_of
from tests.fakes.rig import Rig, on_rig
from tests.fakes.upstream import Behaviour

GOOD = Behaviour()
LIMITED = Behaviour(status=429, words="Rate limit reached", headers={"Retry-After": "300"})
TOO_MANY = (
    "Request too large for gpt-4o-mini in organization org-x on tokens per min (TPM): Limit 30000, Requested 100000. "
    "The input or output tokens must be reduced in order to run successfully."
)
LONG = [{"role": "user", "content": "word " * 30_000}]


@on_rig(LIMITED, GOOD)
async def test_a_rate_limit_on_one_model_stops_no_other_model_of_the_provider(rig: Rig) -> None:
    assert (await rig.chat()).status == 429
    for model in ("gpt-4.1", "gpt-5-nano"):
        assert (await rig.chat(model=model)).status == 200
    again = await rig.chat()
    assert (again.status, again.code) == (429, "rate_limit_exceeded")
    assert 298 <= int(again.headers["retry-after"]) <= 300
    assert len(rig.up.requests) == 3, "the model that is limited was not asked before its time"


@on_rig(Behaviour(status=429, words=TOO_MANY, headers={"Retry-After": "300"}), GOOD)
async def test_a_request_larger_than_a_minutes_tokens_stops_nobody_on_any_model(rig: Rig) -> None:
    refused = await rig.chat(messages=LONG)
    assert (refused.status, refused.code) == (413, "request_too_large")
    assert (await rig.chat()).status == 200
    assert (await rig.chat(model="gpt-4.1")).status == 200


@on_rig(LIMITED, GOOD)
async def test_a_limit_that_a_long_prompt_met_stops_long_prompts_only(rig: Rig) -> None:
    assert (await rig.chat(messages=LONG)).status == 429
    assert (await rig.chat()).status == 200, "a short one may still fit into what is left of the minute"
    assert (await rig.chat(messages=LONG)).status == 429, (
        "the short one's success says nothing about long ones"
    )
    assert len(rig.up.requests) == 2


@on_rig(Behaviour(status=403, words="You do not have permission to access the File abc"), GOOD)
async def test_a_403_for_something_that_one_caller_named_closes_no_other_model(rig: Rig) -> None:
    assert (await rig.chat()).status == 502
    assert rig.market.health.available(Lane("openai", "operator", "gpt-4.1"))
    assert (await rig.chat(model="gpt-4.1")).status == 200


def health() -> tuple[Health, ManualClock]:
    clock = ManualClock()
    return Health(clock), clock


def test_a_refused_key_an_empty_account_and_an_outage_close_every_model() -> None:
    for kind, status, times in (
        (FailureClass.AUTH, 401, 1),
        (FailureClass.QUOTA, 402, 1),
        (FailureClass.SERVER, 500, 3),
    ):
        seen, _ = health()
        for _ in range(times):
            assert seen.available(Lane("openai", "operator", "b"))
            seen.failure(Lane("openai", "operator", "a"), UpstreamFailure(kind, "", status=status))
        assert not seen.available(Lane("openai", "operator", "b"))
        assert seen.available(Lane("openai", "byok:u", "a"))
        assert seen.available(Lane("mistral", "operator", "a"))


def test_a_probe_after_a_limit_is_taken_once_and_its_failure_doubles_the_pause() -> None:
    seen, clock = health()
    lane = Lane("openai", "operator", "a")
    seen.failure(lane, UpstreamFailure(FailureClass.RATE_LIMITED, "", status=429, retry_after=10))
    assert seen.asked_to_wait(lane) == 10
    clock.advance(11)
    assert seen.available(lane)
    seen.attempt(lane)
    assert not seen.available(lane)
    seen.failure(lane, UpstreamFailure(FailureClass.RATE_LIMITED, "", status=429))
    clock.advance(9)
    assert not seen.available(lane)
    clock.advance(2)
    assert seen.available(lane)
    seen.success(lane)
    assert seen.asked_to_wait(lane) <= 0


def test_a_smaller_request_that_is_limited_too_lowers_what_the_limit_stops() -> None:
    seen, _ = health()

    def limited(tokens: int) -> None:
        failed = UpstreamFailure(FailureClass.RATE_LIMITED, "", status=429, retry_after=60)
        seen.failure(Lane("openai", "operator", "a", tokens), failed)

    limited(100_000)
    assert seen.available(Lane("openai", "operator", "a", 20_000))
    limited(20_000)
    assert not seen.available(Lane("openai", "operator", "a", 6_000))
    assert seen.available(Lane("openai", "operator", "a", 4_999))
    limited(10)
    assert not seen.available(Lane("openai", "operator", "a"))


@pytest.mark.parametrize(
    ("words", "oversized"),
    [
        (TOO_MANY, True),
        ("Rate limit reached for x on tokens per min (TPM): Limit 30000, Used 29000, Requested 2000.", False),
        ("Limit: 6,000 tokens; Requested: 8,000", True),
        ("Limit ,, Requested ,,", False),
        ("Rate limit reached", False),
    ],
)
def test_only_what_can_never_fit_counts_as_oversized(words: str, *, oversized: bool) -> None:
    for status in (429, 413):
        kind = kind_of(status, ("rate_limit_exceeded",), words)
        assert (kind is FailureClass.OVERSIZED) is oversized, json.dumps(words)


def many(path: str) -> bytes:
    """A body of 10 MB and more in a million parts, for a path."""
    if "embed" in path:
        return b'{"model":"text-embedding-3-small","input":[' + b"1," * 5_000_000 + b"1]}"
    if "auth" in path:
        return b'{"email":"a@example.com","x":[' + b"1," * 1_000_000 + b"1]}"
    return (
        b'{"model":"gpt-4o-mini","messages":[],' + b",".join(b'"k%d":1' % n for n in range(1_000_000)) + b"}"
    )


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/v1/chat/completions", ("error", "message")),
        ("/v1/responses", ("error", "message")),
        ("/v1/messages", ("error", "message")),
        ("/v1/messages/count_tokens", ("error", "message")),
        ("/v1beta/models/gpt-4o-mini:generateContent", ("error", "message")),
        ("/v1/embeddings", ("error", "message")),
        ("/api/chat", ("error",)),
        ("/api/v1/agents/completion", ("error",)),
        ("/api/v1/agents/estimate", ("error",)),
        ("/api/v1/marketplace/auth/signin", ("error",)),
    ],
)
def test_a_body_in_a_million_parts_is_refused_on_every_wire_before_it_is_decoded(
    tmp_path: Path, path: str, words: tuple[str, ...]
) -> None:
    @on_rig(GOOD)
    async def run(rig: Rig) -> None:
        answer = await rig.call(path, many(path))
        said = answer.json
        for name in words:
            said = said[name]
        assert answer.status == 413
        assert "more than" in said
        assert not rig.up.requests

    run(tmp_path)
