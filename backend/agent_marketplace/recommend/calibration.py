"""How good the estimates before the call were: what was charged against the range on the receipt. Pure."""

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from agent_marketplace.ledger import nano


class Noted(msgspec.Struct, frozen=True):
    """The estimate on a receipt, in dollars."""

    p50: Decimal
    p95: Decimal
    maximum: Decimal


class Calibration(msgspec.Struct, frozen=True):
    """Shares 0..1 of `calls`, None without calls. inside: p50 to p95; aim: about 0.45 inside, 0.95 at most p95, 1 at most maximum."""

    calls: int
    below_p50: float | None
    inside: float | None
    at_most_p95: float | None
    at_most_maximum: float | None


def calibration(pairs: Iterable[tuple[Noted, int]]) -> Calibration:
    """pairs: estimate and charge (nano-dollars) of calls that were priced; those estimated to cost nothing say nothing."""
    seen = [(nano(n.p50), nano(n.p95), nano(n.maximum), charge) for n, charge in pairs if n.maximum > 0]

    def share(hits: int) -> float | None:
        return round(hits / len(seen), 4) if seen else None

    return Calibration(
        calls=len(seen),
        below_p50=share(sum(charge < p50 for p50, _, _, charge in seen)),
        inside=share(sum(p50 <= charge <= p95 for p50, p95, _, charge in seen)),
        at_most_p95=share(sum(charge <= p95 for _, p95, _, charge in seen)),
        at_most_maximum=share(sum(charge <= most for _, _, most, charge in seen)),
    )
