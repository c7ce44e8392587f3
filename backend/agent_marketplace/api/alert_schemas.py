"""Bodies and replies of the operator's alerts."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from agent_marketplace.api.admin_schemas import Acted, Reason
from agent_marketplace.api.schemas import Body, Password, Reply


class AlertRule(BaseModel):
    """unit: of `value` and `limit` (nano = 10^-9 dollars); shown, shown_limit: the same for people; value null: not looked at yet."""

    name: str
    words: str
    unit: Literal["nano", "per mille", "days", "count"]
    on: bool
    limit: int
    state: Literal["quiet", "raised"]
    value: int | None
    shown: str | None
    shown_limit: str
    details: str
    since: str


class AlertTarget(BaseModel):
    """to: a mail address, or a webhook's host; disabled_at: it failed too often, and is told nothing until a test arrives."""

    id: str
    kind: Literal["mail", "webhook"]
    to: str
    failures: int
    words: str
    disabled_at: str | None


class AlertsShown(Reply):
    rules: list[AlertRule]
    targets: list[AlertTarget]


class SetAlertRule(Body):
    """limit: in the rule's unit."""

    on: bool
    limit: Annotated[int, Field(ge=0, le=10**15)]
    reason: Reason


class AddAlertTarget(Body):
    kind: Literal["mail", "webhook"]
    address: Annotated[str, Field(min_length=3, max_length=2000, examples=["https://hooks.example.com/x"])]
    reason: Reason
    password: Password


class AlertTargetAdded(Acted):
    id: str


class RemoveAlertTarget(Body):
    reason: Reason
