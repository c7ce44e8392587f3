"""A provider that repeats our key in its error must not hand it to the caller, however it writes it."""

import base64
import html
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_marketplace.gateway.scrub import MASK, PIECE, impersonal, scrub, scrubbed
from agent_marketplace.wires.base import FailureClass, UpstreamFailure

KEY = "Zq7pLm2vXc9RtY4wKd8sHn3jGb6fVa1e"  # no prefix that a pattern would know
HEADERS = {"content-type": "application/json", "authorization": f"Bearer {KEY}"}


def _every_escape(text: str) -> str:
    return "".join(f"%{ord(c):02x}" for c in text)


FORMS = [
    KEY,
    KEY.upper(),
    KEY[5:25],
    f"{KEY[:PIECE]}…",
    quote(KEY),
    _every_escape(KEY),
    _every_escape(_every_escape(KEY)),
    "".join(f"&#{ord(c)};" for c in KEY),
    "".join(f"\\u00{ord(c):02x}" for c in KEY),
    base64.b64encode(KEY.encode()).decode(),
    base64.urlsafe_b64encode(f"user:{KEY}".encode()).decode().rstrip("="),
    base64.b64encode(f"Bearer {KEY}".encode()).decode()[5:],
    KEY.encode().hex(),
    KEY.encode().hex().upper(),
    " ".join(KEY),
    "-".join(KEY[i : i + 4] for i in range(0, len(KEY), 4)),
    html.escape(f"'{KEY}'"),
]


@pytest.mark.parametrize("form", FORMS)
def test_no_form_of_the_key_is_repeated(form: str) -> None:
    shown = scrub(f"Incorrect key {form} given, see our page", HEADERS)
    assert form not in shown
    bare = "".join(c for c in shown.casefold() if c.isalnum())
    assert not any(KEY.casefold()[i : i + PIECE] in bare for i in range(len(KEY) - PIECE + 1))


@given(st.text(), st.integers(0, len(KEY) - PIECE), st.integers(PIECE, len(KEY)), st.text())
def test_no_piece_of_eight_survives_anywhere_in_any_words(
    before: str, start: int, size: int, after: str
) -> None:
    shown = scrub(before + KEY[start : start + size] + after, HEADERS).casefold()
    assert not any(KEY.casefold()[i : i + PIECE] in shown for i in range(len(KEY) - PIECE + 1))


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60))
def test_words_without_the_key_stay_as_they_are(words: str) -> None:
    assert scrub(words, HEADERS) == impersonal(words)


def test_every_credential_header_counts_and_others_do_not() -> None:
    for name in ("x-api-key", "x-goog-api-key", "api-key", "cf-access-client-secret"):
        assert scrub(f"got {KEY}", {name: KEY}) == f"got {MASK}"
    assert scrub("use version 2023-06-01", {"anthropic-version": "2023-06-01"}) == "use version 2023-06-01"


def test_a_stand_in_for_a_key_does_not_eat_the_words() -> None:
    assert scrub("no such model: none", {"authorization": "Bearer x"}) == "no such model: none"
    assert scrub("the key hush7 is wrong", {"authorization": "Bearer hush7"}) == f"the key {MASK} is wrong"


def test_words_that_can_not_be_shown_become_those_of_the_class() -> None:
    hidden = base64.b64encode(KEY.encode()).decode()
    failure = UpstreamFailure(FailureClass.RATE_LIMITED, f"slow down {hidden}", status=429, retry_after=3.0)
    shown = scrubbed(failure, HEADERS)
    assert (shown.kind, shown.status, shown.retry_after) == (FailureClass.RATE_LIMITED, 429, 3.0)
    assert shown.words == FailureClass.RATE_LIMITED.value.replace("_", " ")
    # A letter that grows when its case is folded moves every place after it.
    assert KEY[:PIECE] not in scrub(f"ßİ {KEY}", HEADERS)


# Providers' own words, with the accounts and hosts of nobody. "" = they stay as they are.
TOLD = [
    ("Rate limit reached for gpt-4o-mini in organization org-a1B2c3D4e5F6g7H8 on tokens per min (TPM): Limit 30000, Used 29000.",
     "org-a1B2c3D4e5F6g7H8", "Limit 30000, Used 29000"),
    ("Project `proj_Q1w2E3r4T5` of billing@corp.example does not have access to model gpt-4o-mini", "proj_Q1w2E3r4T5", "gpt-4o-mini"),
    ("Project `proj_Q1w2E3r4T5` of billing@corp.example does not have access", "corp.example", "does not have access"),
    ("Key bad; account 12345 balance $0.12", "12345", "balance"),
    ("Key bad; account 12345 balance $0.12", "0.12", "account"),
    ("Insufficient credits. Add more at https://openrouter.ai/credits for user_2aBcD9", "2aBcD9", "openrouter.ai/credits"),
    ("Internal error at 10.0.3.17:8080/internal/path trace=abc", "10.0.3.17", "trace=abc"),
    ("Internal error at 10.0.3.17:8080/internal/path trace=abc", "internal/path", "Internal error"),
    ("Quota exceeded for consumer 'project_number:123456789012'.", "123456789012", "Quota exceeded"),
    ("Publisher Model `projects/my-proj-1/locations/us-central1/models/gemini-2.5-pro` was not found", "my-proj-1", "gemini-2.5-pro"),
    ("Failed to connect to vllm-7.prod.svc.cluster.local:8000/v1: connection refused", "cluster.local", "connection refused"),
    ("upstream ip-10-2-3-4.ec2.internal timed out", "10-2-3-4", "timed out"),
    ("File \"/opt/vllm/engine/core.py:123\": CUDA out of memory", "/opt/vllm", "CUDA out of memory"),
    ("C:\\Users\\svc\\srv.py failed", "svc", "failed"),
    ("http://localhost:11434/api/chat refused", "localhost", "refused"),
    ("connect to [fd00:ec2::254]:443 failed", "fd00:ec2", "failed"),
    ("connect to 2001:db8:0:1::5 failed", "2001:db8", "failed"),
    ("Workspace 6ba7b810-9dad-11d1-80b4-00c04fd430c8 is over its limit", "6ba7b810", "is over its limit"),
    ("Organization 0a1b2c3d has been disabled.", "0a1b2c3d", "has been disabled"),
    ("accounts/fireworks-77/models/llama: not found", "fireworks-77", "models/llama: not found"),
]  # fmt: skip
USEFUL = [
    "This model's maximum context length is 128000 tokens. However, your messages resulted in 130000 tokens.",
    "messages.1.content.0.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'",
    "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported.",
    "Input token count 1200000 exceeds the maximum of 1048576",
    "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing",
    "max_tokens is too large: 100000. This model supports at most 16384 completion tokens",
    "user 3 of 5 must follow assistant; account for 4096 tokens; project 2024 plan",
    "The user's message at /v1/messages is invalid; see https://docs.anthropic.com/en/api/errors",
    "invalid image URL https://example.com/a/b.png at messages[0].content[1] at 12:34:56",
    "claude-sonnet-4-5-20250929 is deprecated; use version 1.2.3 of gpt-4.1",
]


@pytest.mark.parametrize(("words", "secret", "useful"), TOLD)
def test_the_operators_account_and_a_providers_inside_are_not_shown(
    words: str, secret: str, useful: str
) -> None:
    shown = scrub(words, HEADERS)
    assert secret not in shown
    assert useful in shown


@pytest.mark.parametrize("words", USEFUL)
def test_what_helps_the_caller_is_kept(words: str) -> None:
    assert impersonal(words) == words


@given(st.text(alphabet="a1./:-_@[]`\\ ", max_size=300))
def test_no_words_take_long_to_scrub_or_break(words: str) -> None:
    assert isinstance(impersonal(words), str)
