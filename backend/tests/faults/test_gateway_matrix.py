"""The fault matrix: each thing a provider can do wrong, on both of our routes, plain and streamed, with a written outcome.

client: the status or, in a stream that had begun, how it ended; bill: `usage` (the provider's), `estimate` (our own count,
marked so) or `nothing`; row: the usage row's status. The rig checks on the way out that nothing is left open.
"""

from dataclasses import dataclass
from typing import Literal

import pytest

from agent_marketplace.ledger import price_usage
from agent_marketplace.net.http import Timeouts
from tests.fakes.rig import SOON, Answer, Rig, on_rig
from tests.fakes.upstream import HTML, Behaviour

Bill = Literal["usage", "estimate", "nothing"]
FAST = Timeouts(connect_s=1, first_byte_s=1.5, idle_s=0.8, total_s=6)
PATHS = ("/v1/chat/completions", "/api/v1/agents/completion", "/api/v1/agents/chat")


@dataclass(frozen=True)
class Outcome:
    """client: 200 and `done`, an error's status and code, or `200 code` for an error inside a stream that had begun."""

    client: str
    bill: Bill
    row: str
    calls: int = 1


@dataclass(frozen=True)
class Case:
    name: str
    do: Behaviour
    plain: Outcome
    stream: Outcome

    @property
    def timeouts(self) -> Timeouts:
        """Short where silence is the fault; elsewhere a slow machine must not make one."""
        return FAST if "timeout" in self.plain.client + self.stream.client else SOON


OK = Outcome("200 done", "usage", "ok")
OK_ESTIMATED = Outcome("200 done", "estimate", "ok")
DEAD = Outcome("502 provider_unavailable", "nothing", "failed", calls=2)
SILENT = Outcome("504 timeout", "nothing", "failed")
CUT = Outcome("200 provider_unavailable", "estimate", "partial")
STALLED = Outcome("200 timeout", "estimate", "partial")


def both(name: str, do: Behaviour, outcome: Outcome) -> Case:
    return Case(name, do, outcome, outcome)


def status_case(
    name: str, status: int, client: str, calls: int, words: str = "scripted failure", **headers: str
) -> Case:
    sent = {k.replace("_", "-"): v for k, v in headers.items()}
    return both(
        name, Behaviour(status=status, words=words, headers=sent), Outcome(client, "nothing", "failed", calls)
    )


def usage_case(name: str, usage: dict[str, object], outcome: Outcome) -> Case:
    return both(name, Behaviour(usage=usage), outcome)


def error_event(error: str, outcome: Outcome) -> Case:
    frame = b'data: {"error": ' + error.encode() + b"}\n\n"
    return Case(f"error event first: {error[:40]}", Behaviour(prefix=frame, frames=()), OK, outcome)


CASES = [
    both("good", Behaviour(), OK),
    both("a body in one byte pieces", Behaviour(split=1), OK),
    both("CRLF line ends", Behaviour(newline=b"\r\n"), OK),
    both("CR line ends", Behaviour(newline=b"\r"), OK),
    both(
        "comments, ids and a BOM before the answer",
        Behaviour(prefix=b"\xef\xbb\xbf: hello\n\nid: 4\nretry: 10\n\n"),
        OK,
    ),
    both("no end mark", Behaviour(done=False), OK),
    both("no usage", Behaviour(usage=None), OK_ESTIMATED),
    both("usage twice", Behaviour(double_usage=True), OK),
    both("an empty answer", Behaviour(text="", usage=(11, 0)), Outcome("200 done", "usage", "ok")),
    usage_case(
        "an explicit zero", {"prompt_tokens": 0, "completion_tokens": 0}, Outcome("200 done", "usage", "ok")
    ),
    usage_case("negative usage", {"prompt_tokens": -5, "completion_tokens": 7}, OK_ESTIMATED),
    usage_case("absurd usage", {"prompt_tokens": 11, "completion_tokens": 900_000_000}, OK_ESTIMATED),
    usage_case("usage that is no number", {"prompt_tokens": "eleven", "completion_tokens": 7}, OK_ESTIMATED),
    usage_case("fractions of tokens", {"prompt_tokens": 11.5, "completion_tokens": 7}, OK_ESTIMATED),
    usage_case(
        "more thinking than output",
        {"prompt_tokens": 11, "completion_tokens": 7, "completion_tokens_details": {"reasoning_tokens": 900}},
        OK,
    ),
    Case("a malformed event among good ones", Behaviour(malformed_after=2), OK, OK),
    Case("an event that is no JSON", Behaviour(malformed_after=2, malformed=b"data: <html>\n\n"), OK, OK),
    Case("no finish reason", Behaviour(finish=False, done=False, usage=None), OK_ESTIMATED, CUT),
    Case(
        "end mark without finish reason or usage",
        Behaviour(finish=False, usage=None),
        OK_ESTIMATED,
        OK_ESTIMATED,
    ),
    Case("end mark and usage without a finish reason", Behaviour(finish=False), OK, OK),
    Case("nothing at all in the stream", Behaviour(frames=()), OK, DEAD),
    Case("only keep-alives in the stream", Behaviour(frames=(b": wait\n\n",) * 5), OK, DEAD),
    Case("only an end mark", Behaviour(frames=(b"data: [DONE]\n\n",)), OK, DEAD),
    Case("error event after two pieces", Behaviour(error_after=2), OK, CUT),
    error_event(
        '{"message": "overloaded", "code": 503}', Outcome("502 provider_unavailable", "nothing", "failed", 2)
    ),
    error_event(
        '{"message": "slow down", "type": "rate_limit_error"}',
        Outcome("429 rate_limit_exceeded", "nothing", "failed", 2),
    ),
    error_event('"bare words"', DEAD),
    both("HTML with status 200", Behaviour(raw=HTML, content_type="text/html"), DEAD),
    both("an empty body with status 200", Behaviour(raw=b""), DEAD),
    both("JSON that is no answer", Behaviour(raw=b'{"hello": 1}'), DEAD),
    both("JSON with an error and status 200", Behaviour(raw=b'{"error": {"message": "boom"}}'), DEAD),
    both("broken JSON with status 200", Behaviour(raw=b'{"choices": ['), DEAD),
    both("JSON nested very deeply", Behaviour(raw=b"[" * 100_000), DEAD),
    both("a redirect", Behaviour(status=302, raw=b"", headers={"location": "http://169.254.169.254/"}), DEAD),
    both("no content", Behaviour(status=204, raw=b""), DEAD),
    Case("a gzip bomb", Behaviour(gzip_bomb=80 << 20), DEAD, DEAD),
    both("wrong Content-Length", Behaviour(raw=b'{"choices": []}', lie=4), DEAD),
    both("reset on connect", Behaviour(connect="reset"), DEAD),
    both("accepts and says nothing", Behaviour(connect="silent"), SILENT),
    Case("stall before the first piece", Behaviour(stall_after=0), SILENT, SILENT),
    Case("stall after two pieces", Behaviour(stall_after=2), SILENT, STALLED),
    Case("cut after two pieces (FIN)", Behaviour(cut_after=2, cut="fin"), OK, CUT),
    Case("cut after two pieces (RST)", Behaviour(cut_after=2, cut="rst"), OK, CUT),
    Case("cut before the first piece", Behaviour(cut_after=0), OK, DEAD),
    status_case("400", 400, "400 invalid_request", 1),
    status_case("401", 401, "502 provider_key_refused", 1),
    status_case("402", 402, "503 provider_quota_exhausted", 1),
    status_case("403", 403, "502 provider_key_refused", 1),
    status_case("404", 404, "502 model_unavailable_upstream", 1),
    status_case("408", 408, "504 timeout", 1),
    status_case("413", 413, "400 context_length_exceeded", 1),
    status_case("422", 422, "400 invalid_request", 1),
    status_case(
        "context overflow",
        400,
        "400 context_length_exceeded",
        1,
        "This model's maximum context length is 8 tokens",
    ),
    status_case("content refusal", 400, "400 content_policy_violation", 1, "blocked by our content policy"),
    status_case("429", 429, "429 rate_limit_exceeded", 2),
    status_case("429, short Retry-After", 429, "429 rate_limit_exceeded", 2, retry_after="1"),
    status_case("429, long Retry-After", 429, "429 rate_limit_exceeded", 1, retry_after="600"),
    status_case(
        "429, Retry-After as a date",
        429,
        "429 rate_limit_exceeded",
        1,
        retry_after="Fri, 31 Dec 2100 23:59:59 GMT",
    ),
    status_case("429, nonsense Retry-After", 429, "429 rate_limit_exceeded", 2, retry_after="soon"),
    status_case("429, infinite Retry-After", 429, "429 rate_limit_exceeded", 2, retry_after="1e999"),
    status_case("500 for ever", 500, "502 provider_unavailable", 2),
    status_case("502", 502, "502 provider_unavailable", 2),
    status_case("503", 503, "502 provider_unavailable", 2),
    status_case("504", 504, "504 timeout", 1),
    status_case("529", 529, "503 provider_overloaded", 2),
    status_case("a status that nobody uses", 799, "502 provider_unavailable", 2),
]


def told(answer: Answer, *, stream: bool) -> str:
    """What the client was told, in the notation of `Outcome.client`."""
    if answer.status != 200:
        return f"{answer.status} {answer.code}"
    return f"200 {answer.ending if stream else 'done'}"


def body(path: str, *, stream: bool) -> dict[str, object]:
    """Our own API with fallback off: there is no free model here, and none is wanted."""
    asked: dict[str, object] = {"model": "gpt-4o-mini", "stream": stream}
    if path.endswith("/chat"):
        return asked | {"message": "Say something."}
    return asked | {"messages": [{"role": "user", "content": "Say something."}]}


async def play(rig: Rig, path: str, want: Outcome, *, stream: bool) -> None:
    calls, spent_before, known = (
        len(rig.up.requests),
        await rig.spent(),
        {r.request_id for r in await rig.rows()},
    )
    rig.market.health.reset("openai")
    answer = await rig.call(path, body(path, stream=stream))
    assert told(answer, stream=stream) == want.client, answer.body[-600:]
    assert answer.whole, "an answer that breaks off"
    await rig.quiet()
    [row] = [r for r in await rig.rows() if r.request_id not in known]
    assert row.status == want.row
    assert len(rig.up.requests) - calls == want.calls
    spent = await rig.spent() - spent_before
    assert spent == row.charge_nano
    reported = rig.up.requests[-1].behaviour.usage
    if want.bill == "nothing":
        assert spent == 0
    elif want.bill == "estimate":
        assert row.usage.estimated
        assert spent == price_usage(rig.price(), row.usage) > 0
        assert row.usage.input == row.detail["input_estimate"]
    elif isinstance(reported, tuple):
        assert spent == rig.cost(*reported)
        assert not row.usage.estimated
    else:
        assert isinstance(reported, dict)
        assert spent == rig.cost(reported["prompt_tokens"], reported["completion_tokens"])
    if answer.status in (429, 503):
        assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_fault_has_its_outcome(tmp_path, case: Case) -> None:
    @on_rig(case.do, timeouts=case.timeouts)
    async def run(rig: Rig) -> None:
        for path in PATHS:
            await play(rig, path, case.plain, stream=False)
            await play(rig, path, case.stream, stream=True)

    run(tmp_path)
