"""Bodies and replies of payments, for users and for administrators."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from agent_marketplace.api.admin_schemas import Acted, Amount, Reason
from agent_marketplace.api.replies import Generation
from agent_marketplace.api.schemas import Body, Password, Reply

Method = Literal["transfer", "webhook", "stripe", "auto", "code"]
OrderState = Literal["pending", "paid", "cancelled", "failed"]
Attempt = Annotated[
    str, Field(min_length=8, max_length=200, examples=["5f0c1c2e-4a0e-4f6d-9a51-0a8f5d1c9b11"])
]


class MakeOrder(Body):
    """attempt: one's own key of this attempt, kept over reloads: the same one never makes a second order."""

    method: Literal["transfer", "webhook", "stripe"]
    amount: Annotated[Decimal, Field(gt=0, le=1_000_000, decimal_places=2, examples=["20"])]
    attempt: Attempt


class Redeem(Body):
    code: Annotated[str, Field(min_length=1, max_length=80, examples=["7K3M-Q2XF-9RTA-4B8W"])]


class OrderOut(BaseModel):
    """An order; `amount` is what is charged, in `currency`; `credit` what the wallet gets; `pay_url`: where to pay it."""

    id: str
    method: Method
    state: OrderState
    credit: float
    amount: float
    currency: str
    paid: bool
    reference: str
    receipt: int | None
    returned: float
    disputed: bool
    words: str
    created_at: str
    closed_at: str | None
    credit_ends_at: str | None
    pay_url: str | None


class OrderReply(Reply):
    """refundable: what of it could be asked back now, in dollars; only in the reply of one order."""

    order: OrderOut
    refundable: float | None = None


class Offered(Reply):
    """How credit can be added here; `transfer`: the operator's instructions; `issuer`: who receipts are from; `recharge`: whether a
    saved card can be charged automatically."""

    methods: list[Literal["transfer", "webhook", "stripe"]]
    codes: bool
    transfer: str | None
    issuer: str | None
    least: float
    most: float
    refund_days: int
    recharge: bool


class MakeRecharge(Body):
    """Consent to charge a saved card: `amount` whenever less than `threshold` is left, at most `monthly` in a calendar month (UTC);
    dollars. new_card: save another one than before."""

    threshold: Annotated[Decimal, Field(gt=0, le=1_000_000, decimal_places=2, examples=["5"])]
    amount: Annotated[Decimal, Field(gt=0, le=1_000_000, decimal_places=2, examples=["20"])]
    monthly: Annotated[Decimal, Field(gt=0, le=1_000_000, decimal_places=2, examples=["60"])]
    consent: Literal[True]
    new_card: bool = False


class RechargeOut(BaseModel):
    """state: `waiting` (for a card), `on` or `off` (words: why, where it was not its owner); card: in words, without its number."""

    state: Literal["waiting", "on", "off", "leaving"]
    threshold: float
    amount: float
    monthly: float
    card: str | None
    consented_at: str
    words: str


class RechargeReply(Reply):
    """used: of this month's limit; url: where the card is saved."""

    recharge: RechargeOut | None
    used: float
    url: str | None = None


class Orders(Reply):
    orders: list[OrderOut]
    next_cursor: str | None


class Noticed(Reply):
    result: Literal["credited", "repeated"]
    order: str


class AdminOrder(OrderOut):
    user_id: str
    email: str | None
    external_id: str | None
    batch_id: str | None


class AdminOrders(Reply):
    orders: list[AdminOrder]
    next_cursor: str | None


class Received(Body):
    """reference: the transfer as the bank names it; amount: what arrived."""

    amount: Annotated[Decimal, Field(gt=0, le=1_000_000, decimal_places=2)]
    currency: Annotated[str, Field(min_length=3, max_length=3, examples=["USD"])]
    reference: Annotated[str, Field(min_length=1, max_length=200)]
    reason: Reason
    password: Password


class CancelOrder(Body):
    reason: Reason


class EventOut(BaseModel):
    """What a processor said, and what became of it."""

    id: int
    at: str
    method: str
    external_id: str
    order_id: str
    outcome: str
    why: str
    body: str


class Events(Reply):
    events: list[EventOut]
    next_cursor: int | None


class MakeCodes(Body):
    """amount: credit of each; sold: somebody paid for it; per_account: 0 = any; days: until when a code can be redeemed;
    credit_days: how long its credit is good for from then on; one_buyer: one customer bought all of them, so that accounts which
    redeem them are taken for one where agents earn and are rated."""

    name: Annotated[str, Field(min_length=1, max_length=120)]
    count: Annotated[int, Field(ge=1, le=1000)]
    amount: Amount
    sold: bool = True
    per_account: Annotated[int, Field(ge=0, le=1000)] = 1
    one_buyer: bool = False
    days: Annotated[int | None, Field(ge=1, le=3650)] = None
    credit_days: Annotated[int | None, Field(ge=1, le=3650)] = None
    reason: Reason
    password: Password


class BatchOut(BaseModel):
    id: str
    name: str
    amount: float
    sold: bool
    codes: int
    redeemed: int
    per_account: int
    one_buyer: bool
    expires_at: str | None
    credit_days: int | None
    created_at: str
    revoked_at: str | None


class Batches(Reply):
    batches: list[BatchOut]


class MadeCodes(Acted):
    """The only time that the codes are shown."""

    batch: BatchOut
    codes: list[str]


class RevokeCodes(Body):
    reason: Reason


class ReturnOut(BaseModel):
    """A refund or chargeback, or what came back of one; amounts in dollars."""

    id: str
    order_id: str
    kind: Literal["refund", "chargeback", "reinstated"]
    state: Literal["asked", "done", "failed"]
    amount: float
    external_id: str | None
    words: str
    created_at: str
    closed_at: str | None


class ReturnReply(Reply):
    refund: ReturnOut


class AdminReturn(ReturnOut):
    user_id: str
    email: str | None
    actor: str


class AdminReturns(Reply):
    returns: list[AdminReturn]
    next_cursor: str | None


class CloseRefund(Body):
    """sent: it was paid back, as `reference` names it; false: it could not be, and goes back into the wallet."""

    sent: bool
    reference: Annotated[str | None, Field(max_length=200)] = None
    reason: Reason
    password: Password


class ChargeBack(Body):
    """amount: what the bank took back; reference: its case."""

    amount: Annotated[Decimal, Field(gt=0, le=1_000_000, decimal_places=2)]
    reference: Annotated[str, Field(min_length=1, max_length=200)]
    reason: Reason
    password: Password


class Reinstate(Body):
    reference: Annotated[str, Field(min_length=1, max_length=200)]
    reason: Reason
    password: Password


class Taken(Acted):
    """taken: dollars that left the wallet; 0 where all of it had gone back before."""

    taken: float


Why = Literal["wrong", "empty", "other_model", "not_asked", "failed"]


class OpenDispute(Body):
    why: Why
    words: Annotated[str, Field(max_length=1000)] = ""


class DisputeOut(BaseModel):
    """rule: the written rule that decided at once; empty where a person decides."""

    request_id: str
    why: Why
    words: str
    state: Literal["open", "granted", "refused"]
    rule: str
    amount: float
    reason: str
    created_at: str
    closed_at: str | None


class DisputeReply(Reply):
    dispute: DisputeOut


class Disputes(Reply):
    disputes: list[DisputeOut]
    next_cursor: str | None


class AdminDispute(DisputeOut):
    user_id: str
    email: str | None
    decided_by: str


class AdminDisputes(Reply):
    disputes: list[AdminDispute]
    next_cursor: str | None


class AdminDisputeReply(Reply):
    """With the answer's receipt as evidence: no prompt, no answer."""

    dispute: AdminDispute
    generation: Generation


class Decide(Body):
    grant: bool
    reason: Reason
    password: Password


class ToDo(BaseModel):
    """How much waits for an administrator; refused: events of the last days that did not fit."""

    transfers: int
    refunds: int
    disputes: int
    refused: int
    disputed: int
    agents: int
    reports: int
    prices: int


class Overview(Reply):
    """Dollars of the last `days`, and what stands now: credit not spent is owed. margin: spend - provider_cost; given_back:
    for disputed answers, out of it. owed_paid + owed_promotional + frozen - debt is what all wallets stand at."""

    days: int
    paid_in: float
    went_back: float
    spend: float
    provider_cost: float
    margin: float
    absorbed: float
    given_back: float
    requests: int
    error_share: float | None
    owed_paid: float
    owed_promotional: float
    frozen: float
    debt: float
    held: float
    in_flight: int
    to_do: ToDo
