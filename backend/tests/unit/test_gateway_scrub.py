"""A provider that repeats our key in its error must not hand it to the caller, however it writes it."""

import base64
import html
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_marketplace.gateway.scrub import MASK, PIECE, scrub, scrubbed
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
    assert scrub(words, HEADERS) == words


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
