"""Bodies and replies of the administrators' routes, for validation and for `/openapi.json`."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from agent_marketplace.api.replies import Key, LotOut, SessionOut
from agent_marketplace.api.schemas import Body, Password, Reply

Amount = Annotated[Decimal, Field(gt=0, le=1_000_000, decimal_places=9, examples=["20"])]
Reason = Annotated[str, Field(min_length=1, max_length=500, examples=["the provider was down all Monday"])]


class GiveCredit(Body):
    """gift: nobody paid for it, so it is spent first and never paid back; days: it ends after so many."""

    amount: Amount
    reason: Reason
    password: Password
    gift: bool = False
    days: Annotated[int | None, Field(ge=1, le=3650)] = None
    idempotency_key: Annotated[str | None, Field(max_length=200)] = None


Users = Annotated[list[Annotated[str, Field(max_length=36)]], Field(min_length=1, max_length=100)]


class GiveCredits(GiveCredit):
    """The same credit to each of `users`, all or none of them."""

    users: Users


class SetRole(Body):
    role: Literal["user", "admin"]
    reason: Reason
    password: Password


class Suspend(Body):
    """users: ids, all or none of them; suspended false: let them in again."""

    users: Users
    suspended: bool
    reason: Reason


class Trust(Body):
    """trusted: own keys, local and free calls count in ratings, votes and popularity like paid ones."""

    trusted: bool
    reason: Reason


class EndTheirSessions(Body):
    reason: Reason


class Person(BaseModel):
    """An account as administrators see it: never its chats."""

    user_id: str
    email: str
    role: Literal["user", "admin"]
    tier: str
    balance: float
    held: float
    promotional: float
    created_at: str
    suspended_at: str | None
    trusted_at: str | None


class People(Reply):
    people: list[Person]
    next_cursor: str | None


class PersonShown(Reply):
    person: Person
    lots: list[LotOut]


class Access(Reply):
    """Live sessions and keys of an account; no key's text."""

    sessions: list[SessionOut]
    keys: list[Key]


class Credited(Reply):
    balance: float
    request_id: str


class Acted(Reply):
    request_id: str


class SessionsEnded(Acted):
    ended: int


class AuditLineOut(BaseModel):
    """One act; before, after: what changed."""

    id: int
    at: str
    actor: str
    act: str
    object: str
    before: dict[str, Any]
    after: dict[str, Any]
    reason: str
    request_id: str


class AuditLog(Reply):
    lines: list[AuditLineOut]
    next_cursor: int | None


class PriceReview(BaseModel):
    """A change of a published price that waits for a person; prices in dollars per 1M tokens, null = none."""

    id: str
    offer: str
    reason: str
    old: dict[str, Any] | None
    new: dict[str, Any] | None
    source: str
    seen_at: str


class PriceReviews(Reply):
    reviews: list[PriceReview]


class DecidePrice(Body):
    accept: bool
    reason: Reason
    password: Password
