"""Pure decisions on holds and key caps: who is admitted, what a settlement takes, when a cap's window begins."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from agent_marketplace.errors import BadRequest, PaymentRequired
from agent_marketplace.ledger.money import dollars
from agent_marketplace.ledger.postings import Account
from agent_marketplace.ledger.types import HoldState, Period


@dataclass(slots=True)
class HoldRow:
    """A hold as locked by the current transaction; its fields are the columns of `ledger_holds`."""

    request_id: str
    account_id: int
    key_id: str | None
    amount_nano: int
    price_version: str
    owner: str
    state: HoldState
    progress_nano: int
    charged_nano: int
    absorbed_nano: int
    model: str
    provider: str
    created_at: int
    expires_at: int


@dataclass(slots=True)
class Budget:
    """A marketplace key's cap as locked by the current transaction; its fields are the columns of `key_budgets`."""

    key_id: str
    period: Period
    timezone: str
    limit_nano: int | None
    window_start: int
    spent_nano: int
    held_nano: int

    def roll(self, now_ms: int) -> None:
        """Starts a new window if the old one is over; open holds stay counted."""
        start = window_start(self.period, self.timezone, now_ms)
        if start > self.window_start:
            self.window_start = start
            self.spent_nano = 0

    @property
    def available(self) -> int | None:
        """What a new hold may take: the cap less what was spent and what open holds may still spend; None = no cap."""
        return None if self.limit_nano is None else self.limit_nano - self.spent_nano - self.held_nano


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
        assert budget.limit_nano is not None
        words = "This API key's spending cap is reached"
        if budget.available > 0:
            cap, rest = dollars(budget.limit_nano), dollars(budget.available)
            words = f"Of this API key's spending cap of ${cap} only ${rest} is left"
        left = budget.limit_nano - budget.spent_nano
        refusal = _refusal(words, "key", amount, left, budget.held_nano, budget.available)
        refusal.extra["cap"] = dollars(budget.limit_nano)
        raise refusal


def split_charge(hold: HoldRow, charge: int, account: Account, budget: Budget | None) -> tuple[int, int]:
    """(paid now, absorbed now): brings the hold's totals to `charge`.

    The user pays no more than was held, however much the answer cost. Where the hold has expired its money is no longer kept:
    then no more than wallet and cap have left, either. Negative where an expired hold was charged more (its last progress)
    than the settlement that came after.
    """
    due = min(charge, hold.amount_nano) - hold.charged_nano
    if due > 0:
        due = min(due, max(account.available, 0))
        if budget is not None and budget.available is not None:
            due = min(due, max(budget.available, 0))
    return due, charge - hold.charged_nano - due - hold.absorbed_nano


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
