"""Bodies and replies of the administrators' routes of providers, models and settings."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from agent_marketplace.api.admin_schemas import Reason
from agent_marketplace.api.schemas import Body, Password, Reply

Rate = Annotated[Decimal, Field(ge=0, le=1_000_000, decimal_places=9, examples=["0.15"])]
OfferId = Annotated[str, Field(min_length=1, max_length=300, examples=["openai/gpt-4o-mini"])]
Source = Literal["environment", "console", "default"]


class SaveProviderKey(Body):
    api_key: Annotated[str, Field(min_length=1, max_length=4096)]
    reason: Reason
    password: Password


class DropProviderKey(Body):
    reason: Reason
    password: Password


class SetOfferPrice(Body):
    """Dollars per 1M tokens; per_request: dollars a call; cache_read: null = cached input is not offered apart."""

    offer: OfferId
    input: Rate
    output: Rate
    cache_read: Rate | None = None
    per_request: Rate = Decimal(0)
    reason: Reason
    password: Password


class SwitchOffer(Body):
    offer: OfferId
    off: bool
    reason: Reason


class ChooseSetting(Body):
    """value: as it would stand in the environment; null: back to what it is without a choice."""

    value: Annotated[str | None, Field(max_length=2000)]
    reason: Reason
    password: Password = ""


class TroubleOut(BaseModel):
    """A breaker that counts failures, in the process that answers. model: "" = all of them; whose: operator, or own key (of some
    user); open_s: seconds for which no call is sent there."""

    model: str
    whose: str
    failures: int
    open_s: float


class OperatorProvider(BaseModel):
    """source: where the operator's key comes from, null = there is none. calls, error_share: of the last 24 hours."""

    name: str
    title: str
    base_url: str
    configured: bool
    needs_key: bool
    source: Literal["environment", "console"] | None
    masked: str | None
    status: str | None
    last_tested_at: str | None
    models: int
    unpriced: int
    in_flight: int
    calls: int
    error_share: float | None
    breakers: list[TroubleOut]


class OperatorProviders(Reply):
    providers: list[OperatorProvider]


class Tested(Reply):
    """verified; refused: the provider said 401 or 403; unverified: it could not be asked, or says nothing of keys."""

    verdict: Literal["verified", "refused", "unverified"]


class KeySaved(Tested):
    request_id: str


class AdminOffer(BaseModel):
    """Dollars per 1M tokens, null = no price is known: it can't be called on the operator's account. why_not: why it is not
    called, null = it is; off: an administrator switched it off; price_source: a list's name, bundled or operator."""

    offer: str
    model: str
    provider: str
    tier: str
    input: float | None
    output: float | None
    price_source: str
    why_not: str | None
    off: bool


class OffersFound(Reply):
    offers: list[AdminOffer]
    next_cursor: str | None


class SettingOut(BaseModel):
    """A setting that can be chosen here, unless source is `environment`. money: changing it needs the password."""

    name: str
    value: str
    default: str
    source: Source
    money: bool


class SettingsShown(Reply):
    """fixed: what only the environment sets, as it is now; no secret stands in it; methods: how an order can be paid."""

    settings: list[SettingOut]
    fixed: dict[str, str]
    methods: list[Literal["transfer", "webhook", "stripe"]]
