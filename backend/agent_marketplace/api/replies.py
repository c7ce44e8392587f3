"""Replies of accounts, keys, money, conversations and agents, for `/openapi.json` (the catalogue's and the guide's: `schemas`)."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from agent_marketplace.api.schemas import Completion, Message, Prices, Reply


class Exported(Reply):
    """All of my data."""

    exported_at: str
    account: dict[str, Any]
    statement: list["StatementEntry"]
    conversations: list[dict[str, Any]]
    comparisons: list[dict[str, Any]]
    runs: list[dict[str, Any]]
    evaluations: list[dict[str, Any]]
    orders: list[dict[str, Any]]
    favourites: list[str]


class ProviderKey(BaseModel):
    """A saved provider key, masked."""

    provider: str
    masked: str
    status: Literal["verified", "unverified", "needs_reentry"]
    created_at: str
    last_tested_at: str | None


class ProviderKeySaved(Reply, ProviderKey):
    """A provider key as it was saved or tested."""


class ProviderKeys(Reply):
    api_keys: list[ProviderKey]


class ProviderOut(BaseModel):
    """A provider, as it is configured here. models: how many of the catalogue it offers."""

    name: str
    wire: str
    configured: bool
    byok: bool
    base_url_set: bool
    stops_billing_on_abort: str
    models: int


class Providers(Reply):
    providers: list[ProviderOut]


class ClientStep(BaseModel):
    """One thing to do. where: in words; text: what is copied, with places such as `${key}` to fill."""

    where: str
    text: str


class ClientSettings(BaseModel):
    """A program's settings. version: the one they were run with, empty: never; documented: the day of its documentation then."""

    id: str
    name: str
    kind: Literal["agent", "editor", "terminal", "sdk"]
    wires: list[str]
    version: str
    documented: str
    note: str
    steps: list[ClientStep]


class Clients(Reply):
    clients: list[ClientSettings]


class Favourites(Reply):
    favourites: list[str]


class Rated(Reply):
    rating: float | None
    rating_count: int


class Cap(BaseModel):
    amount: float
    period: Literal["total", "day", "week", "month"]
    timezone: str


class Key(BaseModel):
    """A marketplace key without its text. spent, held: dollars of the cap's period; max_in_flight: calls at once."""

    id: str
    name: str
    prefix: str
    scopes: list[str]
    created_at: str
    expires_at: str | None
    last_used_at: str | None
    cap: Cap | None
    spent: float
    held: float
    resets_at: str | None
    max_in_flight: int | None


class Keys(Reply):
    keys: list[Key]


class KeyCreated(Reply, Key):
    """A new key; `key` is shown only now."""

    key: str


class DeviceCodes(BaseModel):
    """RFC 8628, 3.2. expires_in, interval: seconds."""

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_in: int
    interval: int


class OAuthMetadata(BaseModel):
    """RFC 8414, 2, and RFC 8628, 4: there is no authorization endpoint, and programs are not registered."""

    issuer: str
    device_authorization_endpoint: str
    token_endpoint: str
    grant_types_supported: list[str]
    response_types_supported: list[str]
    scopes_supported: list[str]
    token_endpoint_auth_methods_supported: list[str]


class DeviceToken(BaseModel):
    """RFC 6749, 5.1: `access_token` is a marketplace key; without `expires_in` (seconds) it does not expire."""

    access_token: str
    token_type: Literal["Bearer"]
    scope: str
    expires_in: int | None = None


class DeviceAsked(Reply):
    """Who waits behind a code. client: what the program calls itself; same_network: it asked from the caller's address."""

    client: str
    scopes: list[str]
    asked_at: str
    expires_at: str
    same_network: bool


class ExtensionVersion(Reply):
    """The extension for VS Code. id: publisher and name; engine: which versions of VS Code it is for."""

    id: str
    version: str
    engine: str


class StatementEntry(BaseModel):
    """One movement; amounts are decimal strings, dollars."""

    id: int
    at: str
    kind: str
    amount: str
    balance_after: str
    request_id: str | None
    memo: str


class Statement(Reply):
    entries: list[StatementEntry]
    next_cursor: str | None


class LotOut(BaseModel):
    """A credit that has something left; amounts in dollars, exact."""

    kind: Literal["paid", "promotional", "granted"]
    source: str
    amount: float
    left: float
    priority: int
    expires_at: str | None
    frozen: bool
    created_at: str
    reference: str


class Lots(Reply):
    """What a balance consists of, in the order in which it is spent."""

    lots: list[LotOut]


class UsageRow(BaseModel):
    """Usage of one model, or of one day."""

    model: str | None = None
    day: str | None = None
    requests: int
    tokens: int
    input_tokens: int
    output_tokens: int
    cost: float


class UsageTotal(BaseModel):
    requests: int
    tokens: int
    cost: float


class UsageReply(Reply):
    usage: list[UsageRow]
    total: UsageTotal
    days: int


class PlanOut(BaseModel):
    name: str
    price: float
    days: int
    model_tiers: list[str]
    byok_fee_percent: str
    description: str


class Plans(Reply):
    plans: list[PlanOut]


class Subscribed(Reply):
    tier: str
    expires_at: str | None
    balance: float


class Attempt(BaseModel):
    """One try of a call. Times in milliseconds."""

    provider: str
    model: str
    why: str
    credential: str
    status: str
    reason: str | None
    code: str | None
    started_ms: int
    duration_ms: int
    may_be_billed: bool


class Moved(BaseModel):
    """Another model answered than the one asked for."""

    model_config = ConfigDict(json_schema_extra={"required": ["from", "to", "reason"]}, extra="allow")
    to: str
    reason: str


class Range(BaseModel):
    """Dollars."""

    p50: float
    p95: float
    maximum: float


class Timings(BaseModel):
    """Milliseconds since the request began."""

    first_token_ms: int | None
    total_ms: int | None


class Tokens(BaseModel):
    """Disjoint classes; `estimated` where the provider said nothing."""

    input_tokens: int
    output_tokens: int
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    estimated: bool | None = None


class Note(BaseModel):
    """A field of the call that did not reach the provider as it was written, and why."""

    field: str
    act: Literal["left_out", "renamed", "moved", "reencoded", "lowered"]
    reason: str


class Generation(BaseModel):
    """The receipt of one call."""

    model_config = ConfigDict(extra="allow")
    request_id: str
    model: str
    provider: str
    status: str
    created_at: str
    usage: Tokens
    cost: float
    list_cost: float | None
    hold: float
    price: Prices | None
    attempts: list[Attempt]
    fallback: Moved | None
    estimate: Range | None
    timings: Timings | None
    dropped_parameters: list[str]
    notes: list[Note]
    conversation_id: str | None


class Receipt(Reply):
    generation: Generation


class Turn(Completion):
    """A completion's fields, and where the turn was kept."""

    conversation_id: str | None = None
    message_id: str | None = None
    user_message_id: str | None = None


class LengthRange(BaseModel):
    """Output tokens."""

    p50: int
    p95: int
    maximum: int


class EstimateOut(Range):
    """Dollars and tokens."""

    input_tokens: int
    output_tokens: LengthRange


class Estimated(Reply):
    estimate: EstimateOut
    model: str
    provider: str
    own_key: bool
    affordable: bool
    max_affordable_tokens: int
    balance: float


class SessionOut(BaseModel):
    """One signed-in session; the id is a name, not a credential."""

    id: str
    created_at: str
    expires_at: str
    current: bool


class Sessions(Reply):
    sessions: list[SessionOut]


class SessionsEnded(Reply):
    ended: int


class Stopped(Reply):
    stopped: bool


class ConversationOut(BaseModel):
    """A conversation's line in the list."""

    id: str
    title: str
    model: str
    agent_id: str
    pinned: bool
    folder: str
    tags: list[str]
    messages: int
    cost: float
    created_at: str
    updated_at: str


class Conversations(Reply):
    conversations: list[ConversationOut]
    next_cursor: str | None
    complete: bool


class TreeMessage(Message):
    """A message of the tree; parent_id null = a root; agent_id: the agent or model that was asked; run_id while it is running."""

    parent_id: str | None
    agent_id: str | None
    images: list[str]
    created_at: str
    provider: str | None
    request_id: str | None
    status: Literal["complete", "partial", "running", "error"]
    run_id: str | None
    finish_reason: str | None
    usage: dict[str, Any] | None
    timings: Timings | None
    fallback: Moved | None
    error: dict[str, Any] | None


class Conversation(Reply):
    """earlier: what to ask for as `before` to get the messages before these; null = there are none."""

    conversation: ConversationOut
    messages: list[TreeMessage]
    earlier: int | None


class ConversationChanged(Reply):
    conversation: ConversationOut


class AgentOut(BaseModel):
    """A named preset."""

    id: str
    version: int
    name: str
    model: str
    instructions: str
    parameters: dict[str, Any]
    created_at: str
    updated_at: str


class Agents(Reply):
    agents: list[AgentOut]


class AgentReply(Reply):
    agent: AgentOut


class AgentVersions(AgentReply):
    versions: list[AgentOut]


class Calibration(BaseModel):
    """Shares 0..1 of `calls`; null without calls."""

    calls: int
    below_p50: float | None
    inside: float | None
    at_most_p95: float | None
    at_most_maximum: float | None


class Document(Reply):
    """parts: pages, slides or sheets; cut: the text goes on."""

    kind: Literal["pdf", "docx", "xlsx", "pptx"]
    text: str
    parts: int
    cut: bool


class Calibrated(Reply):
    calibration: Calibration
    days: int
