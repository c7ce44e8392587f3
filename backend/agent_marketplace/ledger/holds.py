"""Pure decisions on holds and key caps: who is admitted, what a settlement takes, when a cap's window begins."""

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from agent_marketplace.errors import BadRequest, PaymentRequired
from agent_marketplace.ledger.money import dollars
from agent_marketplace.ledger.postings import Account
from agent_marketplace.ledger.types import HoldState, Period


class HoldRow:
    """A hold as locked by the current transaction. Money in nano-dollars, times in ms."""

    __slots__ = (
        "absorbed", "account_id", "amount", "charged", "created_at", "expires_at", "key_id", "model", "owner",
        "price_version", "progress", "provider", "request_id", "state",
    )  # fmt: skip

    def __init__(
        self,
        request_id: str,
        account_id: int,
        key_id: str | None,
        amount: int,
        price_version: str,
        owner: str,
        state: HoldState,
        progress: int,
        charged: int,
        absorbed: int,
        model: str,
        provider: str,
        created_at: int,
        expires_at: int,
    ) -> None:
        self.request_id = request_id
        self.account_id = account_id
        self.key_id = key_id
        self.amount = amount
        self.price_version = price_version
        self.owner = owner
        self.state = state
        self.progress = progress
        self.charged = charged
        self.absorbed = absorbed
        self.model = model
        self.provider = provider
        self.created_at = created_at
        self.expires_at = expires_at


class Budget:
    """A marketplace key's cap as locked by the current transaction. Money in nano-dollars."""

    __slots__ = ("held", "key_id", "limit", "period", "spent", "timezone", "window_start")

    def __init__(
        self,
        key_id: str,
        period: Period,
        timezone: str,
        limit: int | None,
        window_start: int,
        spent: int,
        held: int,
    ) -> None:
        self.key_id = key_id
        self.period: Period = period
        self.timezone = timezone
        self.limit = limit
        self.window_start = window_start
        self.spent = spent
        self.held = held

    def roll(self, now_ms: int) -> None:
        """Starts a new window if the old one is over; open holds stay counted."""
        start = window_start(self.period, self.timezone, now_ms)
        if start > self.window_start:
            self.window_start = start
            self.spent = 0

    @property
    def available(self) -> int | None:
        """What a new hold may take; None = no cap."""
        return None if self.limit is None else self.limit - self.spent - self.held


def zone(name: str) -> tzinfo:
    """The time zone. Raises BadRequest."""
    if name == "UTC":
        return UTC  # also where no time zone database is installed
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadRequest(f"Unknown time zone: {name[:60]}") from None


def window_start(period: Period, timezone: str, now_ms: int) -> int:
    """When the window around `now_ms` began, ms: midnight, Monday's midnight or the first's in `timezone`; 0 for total."""
    if period == "total":
        return 0
    day = datetime.fromtimestamp(now_ms / 1000, zone(timezone)).replace(
        hour=0, minute=0, second=0, microsecond=0, fold=0
    )
    if period == "week":
        day -= timedelta(days=day.weekday())
    elif period == "month":
        day = day.replace(day=1)
    return round(day.timestamp() * 1000)


def window_end(period: Period, timezone: str, start_ms: int) -> int | None:
    """When the window that began at `start_ms` ends, ms; None for total."""
    if period == "total":
        return None
    day = datetime.fromtimestamp(start_ms / 1000, zone(timezone))
    if period == "month":
        day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    else:
        day += timedelta(days=7 if period == "week" else 1)
    day = day.replace(
        hour=0, fold=0
    )  # where clocks jump at midnight, the window began at 01:00; the next one does not
    return round(day.timestamp() * 1000)


def admit(account: Account, budget: Budget | None, amount: int) -> None:
    """Raises PaymentRequired unless wallet and cap can bear `amount`; 0 passes always (free models serve debtors too)."""
    if not amount:
        return
    if amount > account.available:
        raise _refusal(
            "Insufficient balance", "wallet", amount, account.balance, account.held, account.available
        )
    if budget is not None and budget.available is not None and amount > budget.available:
        assert budget.limit is not None
        left = budget.limit - budget.spent
        raise _refusal(
            "This API key's spending cap is reached", "key", amount, left, budget.held, budget.available
        )


def split_charge(hold: HoldRow, charge: int, available: int) -> tuple[int, int]:
    """(paid now, absorbed now): brings the hold's totals to `charge`, of which the user pays what is available.

    Negative where an expired hold was charged more (its last progress) than the settlement that came after.
    """
    due = charge - hold.charged
    paid = due if due <= 0 else min(due, max(available, 0))
    return paid, charge - hold.charged - paid - hold.absorbed


def _refusal(words: str, scope: str, amount: int, balance: int, held: int, available: int) -> PaymentRequired:
    return PaymentRequired(
        words,
        extra={
            "required": dollars(amount),
            "balance": dollars(balance),
            "held": dollars(held),
            "available": dollars(available),
            "scope": scope,
        },
    )
