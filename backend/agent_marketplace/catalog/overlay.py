"""Lays what was learned over the bundled snapshot: found and declared models, changed offers, prices in force. Pure."""

import hashlib
from collections.abc import Iterable, Mapping

import msgspec

from agent_marketplace.catalog import facts, fees, names
from agent_marketplace.catalog.hosts import title
from agent_marketplace.catalog.models import Offer
from agent_marketplace.catalog.snapshot import ModelRecord, Snapshot
from agent_marketplace.catalog.sources import Row
from agent_marketplace.catalog.store import PriceRow
from agent_marketplace.ledger.pricing import Price


def version_of(price: Price | None, as_of: str) -> str:
    """A name for exactly these figures: their date and a hash of every class; "" for no price."""
    if price is None:
        return ""
    digest = hashlib.blake2b(msgspec.json.encode(price, order="deterministic"), digest_size=5).hexdigest()
    return f"{as_of}-{digest}"


def overlay(
    base: Snapshot,
    models: Iterable[ModelRecord] = (),
    offers: Iterable[Offer] = (),
    prices: Mapping[str, PriceRow] | None = None,
) -> Snapshot:
    """A snapshot with these models and offers added or replaced, and each offer at its price in force.

    A stored price yields to the bundled one only if that is of a later date (after an upgrade of the package).
    """
    merged = {m.id: m for m in base.models} | {m.id: m for m in models}
    extra: dict[str, list[Offer]] = {}
    for offer in offers:
        extra.setdefault(offer.model_id, []).append(offer)
    for model_id, added in extra.items():
        if model_id in merged:
            known = {o.id: o for o in merged[model_id].offers} | {o.id: o for o in added}
            merged[model_id] = msgspec.structs.replace(merged[model_id], offers=tuple(known.values()))
    if prices:
        for model_id, model in merged.items():
            if any(o.id in prices for o in model.offers):
                priced = tuple(_priced(o, prices.get(o.id)) for o in model.offers)
                merged[model_id] = msgspec.structs.replace(model, offers=priced)
    return msgspec.structs.replace(base, models=tuple(merged[k] for k in sorted(merged)))


def _priced(offer: Offer, row: PriceRow | None) -> Offer:
    if (
        row is None
        or row.price_version == offer.price_version
        or (row.source == "bundled" and row.as_of < offer.as_of)
    ):
        return offer
    if row.source != "operator" and row.as_of < offer.as_of:
        return offer
    price = (
        row.price if row.source == "operator" else fees.fitted(offer.provider, offer.upstream_id, row.price)
    )
    changed = {
        "price": price,
        "price_version": row.price_version,
        "source": row.source,
        "as_of": row.as_of,
    }
    return msgspec.structs.replace(offer, price_disputed=False, **changed)


def offer_from(row: Row, provider: str, model_id: str, as_of: str) -> Offer:
    """A new offer from a feed's row."""
    price = fees.fitted(provider, row.upstream_id, row.price)
    free = row.upstream_id.endswith(":free")
    return Offer(
        id=f"{provider}/{model_id}{':free' if free else ''}",
        model_id=model_id,
        provider=provider,
        upstream_id=row.upstream_id,
        price=price,
        price_version=version_of(price, as_of),
        context=row.context or row.max_input,
        max_input=row.max_input,
        max_output=row.max_output,
        input_modalities=row.input_modalities or ("text",),
        output_modalities=row.output_modalities or ("text",),
        supported_parameters=row.supported_parameters,
        source=row.source,
        as_of=as_of,
        retires_on=row.retires_on,
    )


def model_from(row: Row, provider: str, as_of: str) -> ModelRecord:
    """A new model from a feed's row; its facts are put into words by our own rules."""
    model_id = names.slug(names.plain(names.undated(names.bare(row.upstream_id))))
    maker, family = names.maker_and_family(row.upstream_id)
    offer = offer_from(row, provider, model_id, as_of)
    context = offer.context or 0
    caps = facts.capabilities(
        model_id,
        row.kind,
        offer.input_modalities,
        offer.output_modalities,
        offer.supported_parameters,
        context,
    )
    about = facts.describe(
        row.kind, title(maker) if maker else "", offer.input_modalities, caps, context, offer.max_output
    )
    return ModelRecord(
        id=model_id,
        name=facts.display_name(model_id),
        maker=maker,
        family=family or model_id.split("-")[0],
        kind=row.kind,
        description=about,
        context=context,
        max_input=row.max_input,
        max_output=row.max_output,
        input_modalities=offer.input_modalities,
        output_modalities=offer.output_modalities,
        supported_parameters=row.supported_parameters,
        capabilities=caps or ("text",),
        released_on=row.released_on,
        retires_on=row.retires_on,
        tags=("new",),
        sources={"price": row.source, "limits": row.source, "modalities": row.source},
        offers=(offer,),
    )
