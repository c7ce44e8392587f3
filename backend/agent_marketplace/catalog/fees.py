"""What some models bill besides tokens: a fee for each request, or for each search that they make by themselves. Pure.

No price list that the catalogue reads carries these, so they stand here, each with its source and date; without them such a model
would be served at a loss. A fee that is not published, or whose count nobody can bound before the call, leaves the
offer without a price: then only its caller's own key may pay for it.
"""

import re

import msgspec

from agent_marketplace.ledger.pricing import Price


class Fee(msgspec.Struct, frozen=True, kw_only=True):
    """A rule for the upstream names that `models` (an expression, searched) matches at `provider` ("" = anywhere).

    per_request: nano-dollars a request; None = not known, or not bounded: `why` says which.
    source: where the fee, or that there is one, is published; as_of: month.
    """

    models: str
    provider: str = ""
    per_request: int | None = None
    why: str = ""
    source: str
    as_of: str = "2026-11"


_PERPLEXITY = "https://docs.perplexity.ai/getting-started/pricing"
_OPENAI = "https://platform.openai.com/docs/pricing, as litellm 1.109.1 lists it"
_GROQ = "https://groq.com/pricing"
_OPENROUTER = "https://openrouter.ai/docs/features/web-search"
_SEARCHES = "it bills each of its own searches, and makes as many as it likes"
_UNPUBLISHED = "what it bills there for its searches is not published"

FEES = (
    # The fee at the search context size `low`, Perplexity's default; `web_search_options` asks for more and is refused.
    Fee(models=r"^sonar(-reasoning)?$", provider="perplexity", per_request=5_000_000, source=_PERPLEXITY),
    Fee(models=r"^sonar(-reasoning)?-pro$", provider="perplexity", per_request=6_000_000, source=_PERPLEXITY),
    # These search once for every request; what was found is not billed as input.
    Fee(models=r"^gpt-4o(-mini)?-search", provider="openai", per_request=25_000_000, source=_OPENAI),
    Fee(models=r"gpt-4o(-mini)?-search", why=_UNPUBLISHED, source=_OPENAI),
    Fee(
        models=r"-search-(preview|api)", why=_SEARCHES, source=_OPENAI
    ),  # whatever their next ones are called
    Fee(models=r"deep-?(re)?search", why=_SEARCHES, source=_PERPLEXITY),
    Fee(models=r"(^|/)compound(-|$)", why="it bills the tools that it runs", source=_GROQ),
    Fee(models=r":online$", why=_SEARCHES, source=_OPENROUTER),
    Fee(models=r"(^|/)sonar(?!-(small|medium|large)-)", why=_UNPUBLISHED, source=_PERPLEXITY),
)
"""The first rule that matches counts."""


def fee_of(provider: str, upstream_id: str) -> Fee | None:
    """The rule for an offer; None = tokens are all it bills."""
    low = upstream_id.lower()
    return next((f for f in FEES if f.provider in ("", provider) and re.search(f.models, low)), None)


def fitted(provider: str, upstream_id: str, price: Price | None) -> Price | None:
    """A list's price with the fee that the list leaves out; None where the fee is not known."""
    fee = fee_of(provider, upstream_id)
    if fee is None or price is None or (price.per_request and not price.free):
        return price
    return None if fee.per_request is None else msgspec.structs.replace(price, per_request=fee.per_request)


def why_unpriced(provider: str, upstream_id: str) -> str | None:
    """Why an offer has no price although its tokens have one, in words."""
    fee = fee_of(provider, upstream_id)
    return fee.why if fee is not None and fee.per_request is None else None
