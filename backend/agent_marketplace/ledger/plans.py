"""Plans as data: what each costs and reaches. `free` reaches every tier; gating is the operator's option."""

import msgspec

from agent_marketplace.errors import BadRequest

DAYS_A_MONTH = 30  # the guide's month


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription. price_nano: nano-dollars for `days`; byok_fee_ppm: fee on calls with own keys, millionths of list."""

    name: str
    price_nano: int
    days: int = DAYS_A_MONTH
    model_tiers: tuple[str, ...] = ("free", "paid", "premium")
    byok_fee_ppm: int = 0
    description: str = ""


PLANS: tuple[Plan, ...] = (
    Plan(name="free", price_nano=0, description="Every model, pay as you go"),
    Plan(name="pro", price_nano=10 * 10**9, description="Every model, higher request limits"),
    Plan(name="enterprise", price_nano=100 * 10**9, description="Every model, the highest request limits"),
)


def plan_named(name: str, plans: tuple[Plan, ...] = PLANS) -> Plan:
    """The plan. Raises BadRequest naming those that exist."""
    for plan in plans:
        if plan.name == name:
            return plan
    raise BadRequest(f"Unknown plan; one of: {', '.join(plan.name for plan in plans)}")
