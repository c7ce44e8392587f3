"""Replies of the routes of offered agents. Money in dollars, times in ISO 8601."""

from typing import Any, Literal

from pydantic import BaseModel

from agent_marketplace.api.schemas import Reply

Visibility = Literal["private", "unlisted", "listed"]
State = Literal["draft", "submitted", "listed", "rejected", "suspended", "withdrawn"]


class PriceOut(BaseModel):
    fee_run: float
    fee_step: float
    model_cost_bp: int
    max_fee: float


class LimitsOut(BaseModel):
    steps: int
    tool_calls: int
    seconds: int
    cap_default: float
    cap_max: float


class ToolOut(BaseModel):
    server: str
    tool: str
    pin: str
    policy: Literal["allow", "ask", "deny"]
    credential: Literal["none", "operator", "author", "user"]
    idempotent: bool
    timeout_s: int


class ExampleOut(BaseModel):
    input: str
    expects: list[str]


class SpecOut(BaseModel):
    """instructions: null for everybody but the author and reviewers."""

    name: str
    model: str
    instructions: str | None
    summary: str
    description: str
    parameters: dict[str, Any]
    tools: list[ToolOut]
    subagents: list[dict[str, Any]]
    scopes: list[str]
    limits: LimitsOut
    hosts: list[str]
    price: PriceOut
    output_schema: dict[str, Any] | None
    licence: str
    category: str
    starters: list[str]
    examples: list[ExampleOut]


class VersionOut(BaseModel):
    """fingerprint: SHA-256 over all of it; price_now: what a run that begins now keeps; price_from: when its own price begins."""

    version: int
    spec: SpecOut
    fingerprint: str
    state: State
    asked: Visibility
    findings: list[str]
    created_at: str
    decided_at: str | None
    price_now: PriceOut
    price_from: str


class OfferedOut(BaseModel):
    """model: what to put into `model` to run it; forked_from: `publisher/slug@n`, where that still is there."""

    id: str
    publisher: str
    slug: str
    model: str
    visibility: Visibility
    live: int | None
    newest: int
    forked_from: str | None
    updated_at: str


class OfferedReply(Reply):
    agent: OfferedOut
    version: VersionOut


class OfferedPage(Reply):
    """Newest version first."""

    agent: OfferedOut
    versions: list[VersionOut]


class OfferedList(Reply):
    agents: list[OfferedPage]


class VersionReply(Reply):
    version: VersionOut


class RatingOut(BaseModel):
    """From users who paid; low, high: 95 % interval of the mean."""

    n: int
    mean: float | None
    low: float | None
    high: float | None


class FiguresOut(BaseModel):
    """The last 30 days, runs by others than the author; success and refunded are shares 0 to 1."""

    runs: int
    payers: int
    success: float | None
    refunded: float | None
    cost_p50: float | None
    took_p50_ms: int | None
    rating: RatingOut


class ReviewOut(BaseModel):
    stars: int
    words: str
    version: int
    at: str


class Card(OfferedPage):
    figures: FiguresOut
    reviews: list[ReviewOut]


class QuoteOut(Reply):
    """What a run costs in all, in dollars. basis `measured`: from n delivered runs of this version by others (20 or more);
    `computed`: p50 is one step of the model and the fee, p90 all steps that the limits allow, as far as the model's price is
    known. fee_most, cap_default, cap_max: bounds."""

    version: int
    basis: Literal["measured", "computed"]
    n: int
    p50: float | None
    p90: float | None
    price: PriceOut
    fee_most: float
    cap_default: float
    cap_max: float


class ListingOut(BaseModel):
    """A listed agent with its live version."""

    agent: OfferedOut
    version: VersionOut


class FoundListing(ListingOut):
    """new: listed in the last 14 days and not used by five people yet."""

    figures: FiguresOut
    new: bool


class Listings(Reply):
    listings: list[FoundListing]
    total: int
    next_offset: int | None


class InstalledOut(ListingOut):
    """asked_again: what it may do has changed since it was agreed to; pinned: the version to stay with."""

    agreed_version: int
    pinned: int | None
    asked_again: bool


class Installed(Reply):
    agents: list[InstalledOut]


class ConsentOut(Reply):
    agreed_version: int
    pinned: int | None


class PublisherReply(Reply):
    """handle: null before one was taken."""

    handle: str | None


class DiffOut(Reply):
    """What differs between two versions; each field with its value before and after."""

    changes: dict[str, list[Any]]


class QueueEntry(BaseModel):
    """base: the version that was offered last, null = none; changes: {field: [before, after]} against it."""

    id: str
    author: str
    email: str | None
    model: str
    version: VersionOut
    base: int | None
    changes: dict[str, list[Any]]


class AgentFound(OfferedPage):
    """An agent as administrators find it: every version, without instructions."""

    email: str | None


class AgentsFound(Reply):
    agents: list[AgentFound]
    next_cursor: str | None


class Author(BaseModel):
    """Money in dollars."""

    user_id: str
    email: str | None
    handle: str
    pending: float
    payable: float
    paid_out: float


class PayoutOut(BaseModel):
    """by: the administrator's user id."""

    author: str
    email: str | None
    amount: float
    reference: str
    by: str
    at: str


class Authors(Reply):
    authors: list[Author]
    payouts: list[PayoutOut]


class ServerFound(BaseModel):
    """A tool server of somebody's; problem: why its tools could not be listed, "" = they could."""

    server_id: str
    user_id: str
    email: str | None
    name: str
    url: str
    problem: str
    stopped_at: str | None


class ServersFound(Reply):
    servers: list[ServerFound]
    next_cursor: str | None


class Queue(Reply):
    versions: list[QueueEntry]


class Decided(Reply):
    version: VersionOut
    request_id: str


class Refunded(Reply):
    """fee: what was given back; 0 = it was before."""

    fee: float
    request_id: str


class EarnedReply(Reply):
    """pending: kept back for 14 days; payable: earned, there and not spent; paid_out: so far."""

    pending: float
    payable: float
    paid_out: float


class OwnFiguresReply(Reply):
    """What an author sees. enough: five users or more ran it in these days; without them only runs and revenue are said.
    days: {day: [runs, delivered]}."""

    since: str
    runs: int
    revenue: float
    enough: bool
    users: int | None
    delivered: int | None
    took_p50_ms: int | None
    took_p90_ms: int | None
    errors: dict[str, int]
    days: dict[str, list[int]]
    rating: RatingOut | None


class ReportOut(BaseModel):
    id: str
    agent_id: str
    version: int
    why: str
    words: str
    at: str


class Reports(Reply):
    reports: list[ReportOut]
