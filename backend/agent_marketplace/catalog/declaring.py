"""Models that the operator's endpoints are said to serve: those of providers.toml, and what an Ollama server tells."""

from collections.abc import Iterable, Iterator

from agent_marketplace.catalog.names import slug
from agent_marketplace.catalog.own import Declared, Said
from agent_marketplace.ledger import Price, nano
from agent_marketplace.providers.endpoints import Endpoint
from agent_marketplace.providers.ollama import Shown


def models_of(endpoints: Iterable[Endpoint]) -> Iterator[Declared]:
    """The models of providers.toml, at the operator's prices."""
    for endpoint in endpoints:
        for model in endpoint.models:
            said = Said(
                name=model.name,
                kind="embedding" if model.embeddings else "chat",
                context=model.context,
                max_output=model.max_output,
                tools=model.tools,
                vision=model.vision,
                structured=model.structured_output,
                reasoning=model.reasoning,
            )
            price = Price(input=nano(model.input_price), output=nano(model.output_price))
            yield Declared(
                model_id=slug(model.id), provider=endpoint.name, upstream_id=model.id, price=price, said=said
            )


def said_by_ollama(shown: Shown | None) -> Said | None:
    """Ollama's words for what a model can do, in ours. It holds every model that writes to a JSON schema itself."""
    if shown is None:
        return None
    can = shown.capabilities
    writes = "completion" in can
    return Said(
        kind="embedding" if "embedding" in can and not writes else "chat",
        context=shown.context,
        tools="tools" in can,
        vision="vision" in can,
        structured=True,
        reasoning="thinking" in can,
    )
