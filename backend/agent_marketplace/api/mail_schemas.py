"""Bodies and replies of mail: forgotten passwords, confirmed addresses, wishes, the administrator's outbox."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from agent_marketplace.api.admin_schemas import Reason
from agent_marketplace.api.schemas import Body, Email, Password, Reply

Token = Annotated[str, Field(max_length=200, examples=["lnk_0mf3....aGVsbG8"])]


class Forgot(Body):
    email: Email


class ResetPassword(Body):
    """token: what stands behind `#` in the link; revoke_keys: marketplace keys end, too."""

    token: Token
    new_password: Password
    revoke_keys: bool = False


class ConfirmAddress(Body):
    token: Token


class Confirmed(Reply):
    """credit: the sign-up credit that was given now, dollars."""

    credit: float


class SentAgain(Reply):
    """sent: false where nothing is to be confirmed, or a link was sent within the hour."""

    sent: bool


class Wished(Reply):
    """mail: whether this server sends any; low_balance: dollars, null = never; unconfirmed: one's address waits to be confirmed."""

    mail: bool
    low_balance: float | None
    unconfirmed: bool


class Wish(Body):
    low_balance: Annotated[Decimal | None, Field(gt=0, le=1_000_000, decimal_places=2)]


class MailOut(BaseModel):
    """One mail. link: whether it has one that can still be handed on."""

    id: str
    kind: str
    to: str
    user_id: str | None
    state: Literal["waiting", "sent", "failed", "shown"]
    attempts: int
    words: str
    link: bool
    created_at: str
    closed_at: str | None
    next_try_at: str | None


class Outbox(Reply):
    """mode: `none` = no mail leaves this server; sender: who mail is from; confirm: sign-up credit waits for a confirmed address."""

    mode: Literal["smtp", "console", "none"]
    sender: str | None
    confirm: bool
    counts: dict[str, int]
    mails: list[MailOut]
    next_cursor: str | None


class TestMail(Body):
    """to: by default the administrator's own address."""

    to: Email | None = None


class TestSent(Reply):
    to: str


class SendAgain(Body):
    reason: Reason


class ShowLink(Body):
    reason: Reason
    password: Password


class LinkShown(Reply):
    """link: whole, or a path on this server where MARKETPLACE_SITE is not set."""

    link: str
    ends_at: str
    request_id: str
