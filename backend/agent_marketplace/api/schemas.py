"""Bodies and replies of the cold routes, for validation and for `/openapi.json`. Money comes in as text or number, goes out exact."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Body(BaseModel):
    """A request body: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", str_max_length=200_000)


Email = Annotated[str, Field(max_length=254, examples=["ada@example.com"])]
Password = Annotated[str, Field(max_length=1024, examples=["correct horse battery staple"])]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Short = Annotated[str, Field(max_length=200)]


class ModelFilters(BaseModel):
    """Filters of GET /models; checked by the catalogue, which says what is allowed."""

    model_config = ConfigDict(extra="ignore")
    q: Annotated[str | None, Field(max_length=2000)] = None
    tier: str | None = None
    capability: str | None = None
    provider: str | None = None
    min_context: str | None = None
    max_input_price: str | None = None
    max_output_price: str | None = None
    local: str | None = None
    available: str | None = None
    sort: str | None = None
    order: str | None = None
    limit: str | None = None
    offset: str | None = None


class SignUp(
    Body,
    json_schema_extra={
        "examples": [{"email": "ada@example.com", "password": "correct horse battery staple"}]
    },
):
    email: Email
    password: Password
    invite: Short | None = None


class SignIn(
    Body,
    json_schema_extra={
        "examples": [{"email": "ada@example.com", "password": "correct horse battery staple"}]
    },
):
    email: Email
    password: Password


class ChangePassword(
    Body,
    json_schema_extra={
        "examples": [
            {"current_password": "correct horse battery staple", "new_password": "an even better horse 9"}
        ]
    },
):
    current_password: Password
    new_password: Password
    revoke_keys: bool = False


class DeleteAccount(Body, json_schema_extra={"examples": [{"password": "correct horse battery staple"}]}):
    password: Password


class EndSessions(Body, json_schema_extra={"examples": [{"password": "correct horse battery staple"}]}):
    """id: only this session; without it all but the one that asks."""

    password: Password
    id: Short | None = None


class AddApiKey(
    Body, json_schema_extra={"examples": [{"provider": "openai", "api_key": "sk-0123456789abcdef"}]}
):
    provider: Name
    api_key: Annotated[str, Field(min_length=1, max_length=4096, examples=["sk-..."])]


class Attachment(Body):
    kind: Literal["image", "audio", "file"] = "image"


class Recommend(
    Body,
    json_schema_extra={
        "examples": [
            {"task": "Debug a flaky asyncio test", "limit": 3, "priority": "balanced", "max_cost": "0.05"}
        ]
    },
):
    task: Annotated[str, Field(max_length=200_000, examples=["Debug a flaky asyncio test"])]
    limit: Annotated[int, Field(ge=1, le=20)] = 3
    priority: Literal["quality", "balanced", "cost", "speed"] = "balanced"
    max_cost: Annotated[Decimal, Field(ge=0, le=1_000_000, decimal_places=9)] | None = None
    input_tokens: Annotated[int, Field(ge=0, le=100_000_000)] | None = None
    attachments: Annotated[list[Attachment | str], Field(max_length=20)] = []
    require: Annotated[list[Short], Field(max_length=10)] = []
    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    ignore: Annotated[list[Short], Field(max_length=30)] = []
    budget: Annotated[Decimal, Field(gt=0, le=1_000_000_000, decimal_places=9)] | None = None
    calls: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None
    output_tokens: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    context: Annotated[int, Field(ge=1, le=100_000_000)] | None = None
    settle: bool = True
    deadline_s: Annotated[float, Field(gt=0, le=86_400)] | None = None
    offline: bool = False
    no_training: bool = False
    region: Literal["eu", "us"] | None = None
    open_weights: bool = False
    free: bool = False
    makers: Annotated[list[Short], Field(max_length=20)] = []
    exclude_makers: Annotated[list[Short], Field(max_length=20)] = []
    model: Short | None = None
    exclude_models: Annotated[list[Short], Field(max_length=50)] = []
    language: Short | None = None
    output: Literal["text", "image", "video", "embedding", "speech", "rerank"] | None = None


class KeyCap(Body):
    amount: Annotated[Decimal, Field(ge=0, le=1_000_000, decimal_places=9)]
    period: Literal["total", "day", "week", "month"] = "total"
    timezone: Short = "UTC"


class CreateKey(
    Body,
    json_schema_extra={
        "examples": [
            {"name": "my editor", "cap": {"amount": "2.50", "period": "month"}, "expires_in_days": 90}
        ]
    },
):
    name: Name
    cap: KeyCap | None = None
    expires_in_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    scopes: Annotated[list[Short], Field(max_length=10)] | None = None
    max_in_flight: Annotated[int, Field(ge=1, le=10_000)] | None = None


class DeviceCode(Body):
    user_code: Short


class ApproveDevice(Body):
    user_code: Short
    name: Name
    scopes: Annotated[list[Short], Field(min_length=1, max_length=10)]
    cap: KeyCap | None = None
    expires_in_days: Annotated[int, Field(ge=1, le=3650)] | None = None


class Subscribe(Body, json_schema_extra={"examples": [{"plan": "pro"}]}):
    plan: Name
    idempotency_key: Short | None = None


class Rate(Body):
    stars: Annotated[int, Field(ge=1, le=5)]


class Signal(Body):
    """reason: why a thumb points down."""

    kind: Name
    reason: Literal["", "wrong", "incomplete", "instructions", "too_long", "style", "refused"] = ""


class PatchConversation(Body):
    """folder "": out of its folder."""

    title: Short | None = None
    pinned: bool | None = None
    folder: Short | None = None
    tags: Annotated[list[Short], Field(max_length=50)] | None = None


class AgentBody(
    Body,
    json_schema_extra={
        "examples": [
            {
                "name": "Reviewer",
                "model": "auto",
                "instructions": "Review code in five points.",
                "parameters": {"temperature": 0.2},
            }
        ]
    },
):
    name: Name
    model: Name = "auto"
    instructions: Annotated[str, Field(max_length=100_000)] = ""
    parameters: dict[str, Any] = {}


class PatchAgent(Body):
    name: Name | None = None
    model: Name | None = None
    instructions: Annotated[str, Field(max_length=100_000)] | None = None
    parameters: dict[str, Any] | None = None


# -- replies -----------------------------------------------------------------------------------------------------------


class Reply(BaseModel):
    """Every success."""

    success: Literal[True]


class Failure(BaseModel):
    """Every failure; `code` is stable."""

    success: Literal[False]
    error: str
    code: str
    request_id: str


class SignUpOffer(Reply):
    """`credit`: dollars of play credit, as long as the day's are not used up; `confirm`: it comes once the address is confirmed;
    `mail`: whether this server sends mail, e.g. to somebody who forgot a password."""

    signup: Literal["open", "invite", "closed"]
    credit: float
    confirm: bool
    mail: bool
    banner: str


class SignedUp(Reply):
    """`notice`: why there is no credit, where there is none."""

    token: str
    user_id: str
    balance: float
    notice: str | None = None


class SignedIn(Reply):
    token: str
    user_id: str


class Token(Reply):
    token: str


class Prices(BaseModel):
    """Decimal strings, dollars per 1M tokens."""

    model_config = ConfigDict(extra="allow")
    input: str | None = None
    output: str | None = None
    cache_read: str | None = None


class EvidenceOut(BaseModel):
    label: str
    score: float
    source: str
    as_of: str


class ModelOut(BaseModel):
    """One card: the guide's eleven fields, then ours."""

    model_config = ConfigDict(extra="allow")
    id: str
    name: str
    provider: str
    model_id: str
    pricing_tier: Literal["free", "paid", "premium"]
    cost_per_1k: float | None
    context_window: int
    capabilities: list[str]
    rating: float | None
    use_count: int
    is_available: bool
    unavailable_reason: str | None = None
    description: str
    prices: Prices | None = None
    max_input: int | None = None
    max_output: int | None = None
    offers_count: int
    runs_here: bool
    rating_count: int
    released_on: str | None = None
    retires_on: str | None = None
    successor: str | None = None
    evidence: list[EvidenceOut] = []
    tags: list[str] = []
    aliases: list[str] = []


class OfferOut(BaseModel):
    model_config = ConfigDict(extra="allow")
    id: str
    model_id: str
    provider: str
    upstream_id: str
    prices: Prices | None
    context: int | None
    max_input: int | None
    max_output: int | None
    input_modalities: list[str]
    output_modalities: list[str]
    supported_parameters: list[str]
    source: str
    as_of: str
    retires_on: str | None
    is_available: bool
    unavailable_reason: str | None


class PricesOut(BaseModel):
    """How old prices are: the newest day that they were read, and how many offers have one of more than 90 days ago."""

    as_of: str
    age_days: int
    old: int
    priced: int


class Models(Reply):
    models: list[ModelOut]
    count: int
    total: int
    facets: dict[str, Any]
    prices: PricesOut


class Search(Reply):
    models: list[ModelOut]
    query: str


class Ranked(Reply):
    models: list[ModelOut]
    basis: str


class ThumbsOut(BaseModel):
    """Of users who are heard. reasons: of the thumbs that point down."""

    up: int
    down: int
    users: int
    reasons: dict[str, int]


class OneModelOut(ModelOut):
    """thumbs null: nobody who is heard has given one."""

    thumbs: ThumbsOut | None


class OneModel(Reply):
    model: OneModelOut


class Offers(Reply):
    offers: list[OfferOut]


class ProfileOut(BaseModel):
    user_id: str
    email: str
    tier: str
    role: str
    balance: float
    api_keys_configured: list[str]
    created_at: str
    subscription_expires: str | None


class Profile(Reply):
    user: ProfileOut


class Analysis(BaseModel):
    model_config = ConfigDict(extra="allow")
    type: str
    confidence: float
    keywords: list[str]
    uncertain: bool
    question: str | None = None


class CostRange(BaseModel):
    p50: float
    p95: float


class Pick(BaseModel):
    model_config = ConfigDict(extra="allow")
    model: ModelOut
    rank: int
    reasoning: str
    reasons: list[Any] = []
    score: float
    estimated_cost: float
    cost_range: CostRange
    is_available: bool
    effort: str | None = None
    gives_up: str | None = None


class Recommendations(Reply):
    model_config = ConfigDict(extra="allow")
    analysis: Analysis
    recommendations: list[Pick]
    blocked: list[Any] = []
    understood: list[Any] = []
    conditions: dict[str, Any] = {}
    notes: list[str] = []
    nearest: list[Any] = []
    what_if: list[Any] = []
    settled: dict[str, Any] | None = None
    agents: list[dict[str, Any]] = []


class BalanceOut(Reply):
    balance: float
    available: float
    held: float
    paid: float
    promotional: float
    frozen: float
    currency: Literal["USD"]


class Completion(Reply):
    model_config = ConfigDict(extra="allow")
    result: str
    tokens_used: int
    cost: float
    balance_remaining: float | None
    model: str
    provider: str
    finish_reason: str
    request_id: str


class Message(BaseModel):
    model_config = ConfigDict(extra="allow")
    id: str
    role: str
    content: str
    timestamp: str
    model: str | None
    cost: float
    conversation_id: str


class History(Reply):
    messages: list[Message]
    next_cursor: str | None
