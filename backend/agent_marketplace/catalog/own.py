"""Models of the operator's own: what is said of them becomes cards and offers. Pure.

Nothing is refused for what nobody said: whether a server at home takes tools, only that server knows, and its own words
come back. A card shows only what was said.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from agent_marketplace.catalog import facts, names
from agent_marketplace.catalog.hosts import title
from agent_marketplace.catalog.models import Offer
from agent_marketplace.catalog.overlay import overlay, version_of
from agent_marketplace.catalog.snapshot import ModelRecord, Snapshot
from agent_marketplace.ledger.pricing import Price

_ALWAYS = ("max_tokens", "stop", "temperature", "top_p")
_FREE = Price(input=0, output=0)
LATEST = ":latest"


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator, or a server of theirs, says of a model. None: nothing. context, max_output: tokens, 0 = nothing."""

    name: str = ""
    kind: Literal["chat", "embedding"] = "chat"
    context: int = 0
    max_output: int | None = None
    tools: bool | None = None
    vision: bool | None = None
    structured: bool | None = None
    reasoning: bool | None = None


class Declared(msgspec.Struct, frozen=True, kw_only=True):
    """A model at an endpoint of the operator's own. price: None = none was told, and only own keys are served."""

    model_id: str
    provider: str
    upstream_id: str
    price: Price | None
    said: Said


def plain(tag: str) -> str:
    """An Ollama tag as it is called: `llama3` and `llama3:latest` are one model there."""
    return tag.removesuffix(LATEST)


def declared(
    model_id: str,
    provider: str,
    upstream_id: str,
    *,
    price: Price | None,
    said: Said,
    as_of: str,
    like: ModelRecord | None = None,
    others: tuple[Offer, ...] = (),
) -> ModelRecord:
    """A model at an endpoint of the operator's own, at the operator's price (usually 0).

    like: the catalogue's model of this name; others: offers of this very model at other servers of the operator's.
    """
    offer = Offer(
        id=f"{provider}/{model_id}",
        model_id=model_id,
        provider=provider,
        upstream_id=upstream_id,
        price=price,
        price_version=version_of(price, as_of),
        context=said.context or None,
        max_output=said.max_output,
        input_modalities=_inputs(said, like.input_modalities if like else None),
        output_modalities=like.output_modalities if like else ("text",),
        supported_parameters=_parameters(said, like.supported_parameters if like else ()),
        source="operator",
        as_of=as_of,
    )
    listed = like.offers if like and like.id == model_id else ()
    own = tuple(o for o in others if o.id not in {known.id for known in listed})
    offers = (*(o for o in (*listed, *own) if o.id != offer.id), offer)
    if like is not None and like.id == model_id:
        return _with_said(msgspec.structs.replace(like, offers=offers), said)
    return _record(model_id, upstream_id, said, offers)


def _record(model_id: str, upstream_id: str, said: Said, offers: tuple[Offer, ...]) -> ModelRecord:
    maker, family = names.maker_and_family(upstream_id)
    caps = _capabilities(model_id, said)
    inputs = ("text", "image") if said.vision else ("text",)
    about = facts.describe(
        said.kind, title(maker) if maker else "", inputs, caps, said.context, said.max_output
    )
    return ModelRecord(
        id=model_id,
        name=said.name or facts.display_name(model_id),
        maker=maker,
        family=family or model_id.split("-")[0],
        kind=said.kind,
        description=about,
        context=said.context,
        max_output=said.max_output,
        input_modalities=inputs,
        supported_parameters=_known(said),
        capabilities=caps,
        sources={"price": "operator", "facts": "operator"},
        offers=offers,
    )


def _with_said(record: ModelRecord, said: Said) -> ModelRecord:
    """The catalogue's card, with what the operator's server can do beyond it."""
    caps = {*record.capabilities, *_capabilities(record.id, said)} if said.kind == "chat" else {"embeddings"}
    vision = said.vision and "image" not in record.input_modalities
    return msgspec.structs.replace(
        record,
        name=said.name or record.name,
        kind=said.kind if said.kind != "chat" else record.kind,
        capabilities=record.capabilities
        if record.kind != "chat"
        else tuple(c for c in facts.CAPABILITIES if c in caps),
        input_modalities=(*record.input_modalities, "image") if vision else record.input_modalities,
    )


def _capabilities(model_id: str, said: Said) -> tuple[str, ...]:
    inputs = ("text", "image") if said.vision else ("text",)
    known = _known(said) if said.kind == "chat" else ()
    return facts.capabilities(model_id, said.kind, inputs, ("text",), known, said.context)


def _known(said: Said) -> tuple[str, ...]:
    """The parameters of which somebody said that they are taken."""
    return tuple(
        name
        for name in _parameters(said, ())
        if name in _ALWAYS or any(name in group for flag, group in _groups(said) if flag)
    )


def _groups(said: Said) -> tuple[tuple[bool | None, tuple[str, ...]], ...]:
    return (
        (said.tools, ("tools", "tool_choice")),
        (said.structured, ("response_format", "structured_outputs")),
        (said.reasoning, ("reasoning",)),
    )


def _parameters(said: Said, like: tuple[str, ...]) -> tuple[str, ...]:
    """What a server takes, as far as anybody knows. Whether a model thinks is the model's affair, and the catalogue may know
    it; tools and formats are the server's."""
    found = set(like or _ALWAYS)
    if said.kind == "embedding":
        return tuple(sorted(found))
    for flag, group in _groups(said):
        if flag is False:
            found.difference_update(group)
        elif flag or "reasoning" not in group or not like:
            found.update(group)
    return tuple(sorted(found))


def _inputs(said: Said, like: tuple[str, ...] | None) -> tuple[str, ...]:
    if said.kind == "embedding":
        return like or ("text",)
    unsaid = "image" in like if like is not None else True
    others = tuple(kind for kind in like or ("text",) if kind != "image")
    return (*others, "image") if (unsaid if said.vision is None else said.vision) else others


def with_ollama(base: Snapshot, tags: Mapping[str, Said | None], as_of: str) -> Snapshot:
    """The snapshot with a free offer for every tag that an Ollama server has (`llama3.2:1b`), known or not.

    tags: what the server says of each; None where it was not to be asked.
    """
    listed = {plain(o.upstream_id): m.id for m in base.models for o in m.offers if o.provider == "ollama"}
    by_key = {names.key(a): m for m in base.models for a in (m.id, *m.aliases)}
    added: dict[str, ModelRecord] = {}
    for tag, said in tags.items():
        name = plain(tag)
        if (known := listed.get(name)) is not None:
            if said is not None:
                record = added.get(known) or next(m for m in base.models if m.id == known)
                added[known] = _as_served(record, name, said)
            continue
        like = by_key.get(names.key(name.replace(":", "-")))
        model_id = like.id if like else names.slug(name.replace(":", "-").replace("/", "-"))
        like = added.get(model_id) or like
        if like is not None and any(o.provider == "ollama" for o in like.offers):
            model_id, like = names.slug(f"ollama-{name.replace(':', '-').replace('/', '-')}"), None
        record = declared(model_id, "ollama", tag, price=_FREE, said=said or Said(), as_of=as_of, like=like)
        added[model_id] = (
            record if tag == name else msgspec.structs.replace(record, aliases=(*record.aliases, name))
        )
    return overlay(base, added.values())


def _as_served(record: ModelRecord, name: str, said: Said) -> ModelRecord:
    """The catalogue's own Ollama offer, by what the server says of it."""

    def served(offer: Offer) -> Offer:
        if offer.provider != "ollama" or plain(offer.upstream_id) != name:
            return offer
        return msgspec.structs.replace(
            offer,
            context=said.context or offer.context,
            input_modalities=_inputs(said, offer.input_modalities),
            supported_parameters=_parameters(said, offer.supported_parameters),
        )

    return _with_said(msgspec.structs.replace(record, offers=tuple(served(o) for o in record.offers)), said)
