"""Claude's beta features: what may change the bill goes on only where the caller pays Anthropic himself."""

import pytest

from agent_marketplace.errors import BadRequest
from agent_marketplace.gateway.betas import long_context, parse, split
from agent_marketplace.gateway.plan import Target
from agent_marketplace.ledger import Price

PRICE = Price(input=1, output=1)
ASKED = (
    "interleaved-thinking-2025-05-14",
    "claude-code-20250219",
    "context-1m-2025-08-07",
    "fast-mode-2026-02-01",
    "brand-new-2027-01-01",
)


def target(credential: str, context: int | None) -> Target:
    return Target(
        model="m", provider="anthropic", upstream_id="m", credential=credential, price=PRICE, context=context
    )  # type: ignore[arg-type]


def test_a_header_is_read_once_however_it_is_written() -> None:
    assert parse(None) == parse("") == parse(" , ") == ()
    assert parse(" a-1 ,b-2,a-1") == ("a-1", "b-2")


@pytest.mark.parametrize("header", ["a b", "A", "x\ny", "-a", "a" * 65, ",".join(f"f{i}" for i in range(33))])
def test_what_is_no_list_of_features_is_refused(header: str) -> None:
    with pytest.raises(BadRequest, match="anthropic-beta"):
        parse(header)


def test_the_callers_own_key_passes_all() -> None:
    assert split(ASKED, target("byok", 200_000)) == (ASKED, ())


def test_the_operators_key_passes_what_changes_no_price() -> None:
    assert split(ASKED, target("operator", 200_000)) == (ASKED[:2], ASKED[2:])
    assert split(ASKED, target("operator", None))[0] == ASKED[:2]


def test_a_long_context_goes_on_where_the_price_list_knows_it() -> None:
    assert split(ASKED, target("operator", 1_000_000)) == (ASKED[:3], ASKED[3:])


def test_the_long_window_is_asked_for_by_its_name_of_any_day() -> None:
    assert long_context(("effort-2025-11-24", "context-1m-2025-08-07"))
    assert long_context(("context-1m",))
    assert not long_context(("context-management-2025-06-27",))
    assert not long_context(())
