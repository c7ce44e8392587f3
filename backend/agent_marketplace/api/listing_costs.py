"""What a run of an agent costs where too few were measured: from its limits and its model's price."""

from agent_marketplace.catalog import MarketplaceRegistry
from agent_marketplace.ledger import price_usage
from agent_marketplace.listings import AgentPrice, Spec
from agent_marketplace.usage import Usage

ASKED, ANSWERED = 1_000, 500  # tokens of a question and an answer of usual length, besides the instructions
_PER_TOKEN = 4  # characters


def computed(registry: MarketplaceRegistry, spec: Spec, price: AgentPrice) -> tuple[int | None, int | None]:
    """(p50, p90) of a run, nano-dollars: one step of the model with the fee; every step that the limits allow, at most the
    usual cap. (None, the usual cap) where the model is chosen at the run, or its price is not known."""
    model = None if spec.model == "auto" else registry.resolve(spec.model)
    prices = (
        [] if model is None else [o.price for o in registry.offers(model.model_id) if o.price is not None]
    )
    if not prices:
        return None, spec.limits.cap_default_nano
    usage = Usage(input=len(spec.instructions) // _PER_TOKEN + ASKED, output=ANSWERED)
    step = min(price_usage(one, usage) for one in prices)
    steps = spec.limits.steps
    most = step * steps + price.fee(steps, step * steps)
    return step + price.fee(1, step), min(most, spec.limits.cap_default_nano)
