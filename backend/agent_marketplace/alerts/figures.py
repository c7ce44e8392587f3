"""What the rules look at, read from the parts that know it."""

import shutil
from pathlib import Path
from typing import Any

from agent_marketplace.alerts.rules import Reading
from agent_marketplace.catalog import MarketplaceRegistry
from agent_marketplace.clock import Clock
from agent_marketplace.ledger import Ledger, nano
from agent_marketplace.payments import Payments
from agent_marketplace.usage_log import UsageLog
from agent_marketplace.usage_log.query import ask

_HOUR_MS = 3_600_000
_ENOUGH = 20  # calls, below which a share of errors says nothing


class Figures:
    """All readings of one look."""

    def __init__(
        self,
        ledger: Ledger,
        usage_log: UsageLog,
        payments: Payments,
        registry: MarketplaceRegistry,
        folder: Path,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._usage_log = usage_log
        self._payments = payments
        self._registry = registry
        self._folder = folder
        self._clock = clock

    async def read(self) -> dict[str, Reading]:
        """By rule. Raises Unavailable."""
        now = self._clock.now_ms()
        day = await self._used(("absorbed", "margin"), (), now - 24 * _HOUR_MS, now)
        hour = await self._used(("requests", "errors"), ("provider",), now - _HOUR_MS, now)
        disk = shutil.disk_usage(self._folder)
        totals = day[0] if day else {"absorbed": 0, "margin": 0}
        return {
            "absorbed": Reading(nano(totals["absorbed"])),
            "loss": Reading(-nano(totals["margin"])),
            "provider_errors": worst_of(hour),
            "owed": Reading((await self._payments.overview(now))["debt"]),
            "disk": Reading(1000 * disk.used // max(1, disk.used + disk.free)),
            "unposted": Reading(self._ledger.kept),
            "stale_prices": Reading(self._registry.prices_as_of().age_days),
        }

    async def _used(
        self, metrics: tuple[str, ...], by: tuple[str, ...], since: int, now: int
    ) -> list[dict[str, Any]]:
        asked = ask(
            user_id=None, metrics=metrics, by=by, filters={}, tz="UTC", granularity="day", since=since, until=None, days=1,
            now=now, limit=200,
        )  # fmt: skip
        found = await self._usage_log.query(asked)
        return found.rows if by else [found.totals]


def worst_of(rows: list[dict[str, Any]]) -> Reading:
    """The provider with the largest share of failed calls. rows: `provider, requests, errors`."""
    shares = [
        (1000 * int(str(row["errors"])) // int(str(row["requests"])), str(row["provider"]))
        for row in rows
        if int(str(row["requests"])) >= _ENOUGH
    ]
    return Reading(*max(shares)) if shares else Reading(0)
