"""Lays what is written by hand (catalog_hand.toml) over the merged lists, names successors, and checks the whole."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from agent_marketplace.catalog import facts, names
from agent_marketplace.catalog.hosts import title
from agent_marketplace.catalog.models import Offer
from agent_marketplace.catalog.overlay import version_of
from agent_marketplace.catalog.snapshot import ModelRecord, Snapshot
from agent_marketplace.catalog.sources import per_million
from agent_marketplace.ledger.pricing import Price, validate_price
from agent_marketplace.recommend import lines

FREE = Price(input=0, output=0)
GUIDE_IDS = ("gpt4", "gpt3.5", "claude3-opus", "claude3-sonnet", "gemini-pro", "mistral-7b", "llama2-7b", "mistral-large")


def apply_hand(models: dict[str, ModelRecord], hand: Mapping[str, Any], today: str) -> None:
    """Adds and corrects models in place."""
    for entry in hand["models"]:
        models[entry["id"]] = _model(entry, models.get(entry["id"]), today)
    for entry in hand["ollama"]:
        _ollama(entry, models, today)
    _inherit_abilities(models)
    for alias, model_id in {**newest_aliases(models, today), **hand["latest"]}.items():
        models[model_id] = _with_aliases(models[model_id], [alias])
    _unique_aliases(models)
    for model_id, model in models.items():
        if model.retires_on:
            successor = hand["successors"].get(model_id) or successor_of(model, models)
            models[model_id] = msgspec.structs.replace(model, successor=successor)
    for model_id, successor in hand["successors"].items():
        models[model_id] = msgspec.structs.replace(models[model_id], successor=successor)


LATEST = (
    ("google", "gemini-pro-latest"), ("google", "gemini-flash-latest"), ("google", "gemini-flash-lite-latest"),
    ("anthropic", "claude-opus-latest"), ("anthropic", "claude-sonnet-latest"), ("anthropic", "claude-haiku-latest"),
    ("moonshotai", "kimi-latest"), ("xai", "grok-latest"), ("deepseek", "deepseek-pro-latest"), ("deepseek", "deepseek-flash-latest"),
    ("alibaba", "qwen-max-latest"), ("alibaba", "qwen-plus-latest"), ("alibaba", "qwen-flash-latest"), ("zai", "glm-latest"),
    ("minimax", "minimax-latest"), ("mistral", "mistral-medium-latest"), ("mistral", "mistral-small-latest"),
    ("openai", "gpt-sol-latest"), ("openai", "gpt-terra-latest"), ("openai", "gpt-luna-latest"),
)  # fmt: skip
"""(maker, pointer): it means the newest model of that maker whose tier words are those of the pointer."""

POINTERS = (("openai", "gpt-5-chat-latest", "gpt-5.3-chat"), ("openai", "chatgpt-4o-latest", "gpt-4o"))


def _tier(model_id: str) -> frozenset[str]:
    """The words of a name without versions, dates and what names no tier; `k` of Kimi and `m` of MiniMax are versions' letters."""
    return frozenset(re.findall(r"[a-z]{2,}", model_id)) - {"latest", "preview", "instruct", "it"}


def newest_aliases(models: Mapping[str, ModelRecord], today: str) -> dict[str, str]:
    """Pointer -> the newest model of its tier that is sold by its maker and not retired."""
    found = {}
    for maker, pointer in LATEST:
        wanted = _tier(pointer)
        fitting = [
            m
            for m in models.values()
            if m.maker == maker and m.kind == "chat" and _tier(m.id) == wanted and not (m.retires_on and m.retires_on <= today)
            and not re.search(r"-(?:exp|tts|live)|\d[bm](?:-|$)", m.id) and lines.place(maker, m.id).version
        ]  # fmt: skip
        if fitting:
            found[pointer] = max(fitting, key=lambda m: (lines.place(maker, m.id).version, m.released_on or "", m.id)).id
    return found | {pointer: model_id for _, pointer, model_id in POINTERS if model_id in models}


def _inherit_abilities(models: dict[str, ModelRecord]) -> None:
    """A newcomer that only a price list names gets what the nearest older model of its line can do, and is marked."""
    for model_id, model in models.items():
        if model.kind != "chat" or any(o.supported_parameters for o in model.offers):
            continue
        place = lines.place(model.maker, model_id)
        older = [
            m
            for m in models.values()
            if m.maker == model.maker and m.supported_parameters and lines.place(m.maker, m.id)[:2] == place[:2]
            and () < lines.place(m.maker, m.id).version < place.version
        ]  # fmt: skip
        if not older:
            continue
        like = max(older, key=lambda m: lines.place(m.maker, m.id).version)
        offers = tuple(
            msgspec.structs.replace(
                o,
                supported_parameters=like.supported_parameters,
                input_modalities=like.input_modalities,
                context=o.context or like.context or None,
                max_output=o.max_output or like.max_output,
            )
            for o in model.offers
        )
        marked = {"capabilities": f"inherited from {like.id}: no list says yet what this model can do"}
        models[model_id] = msgspec.structs.replace(
            model, offers=offers, supported_parameters=like.supported_parameters, input_modalities=like.input_modalities,
            capabilities=like.capabilities, context=model.context or like.context, max_output=model.max_output or like.max_output,
            sources={**model.sources, **marked},
        )  # fmt: skip


def _price(entry: Any) -> Price:
    if isinstance(entry, str):
        return FREE if entry == "0" else validate_price(Price(input=per_million(entry) or 0, output=per_million(entry) or 0))
    return validate_price(Price(**{k: per_million(v) or 0 for k, v in entry.items()}))


def _model(entry: dict[str, Any], merged: ModelRecord | None, today: str) -> ModelRecord:
    """A hand-written model; what it leaves out comes from the merged lists."""
    maker = entry.get("maker") or (merged.maker if merged else names.maker_and_family(entry["upstream"])[0])
    merged = merged or ModelRecord(id=entry["id"], name=entry["name"], maker=maker, family=entry.get("family", ""))
    known = next((o for o in merged.offers if o.provider == entry["provider"]), None)
    price = _price(entry["price"]) if "price" in entry else known.price if known else None
    offer = Offer(
        id=f"{entry['provider']}/{entry['id']}",
        model_id=entry["id"],
        provider=entry["provider"],
        upstream_id=entry["upstream"],
        price=price,
        price_version=version_of(price, today) if "price" in entry else known.price_version if known else "",
        context=entry.get("context") or (known.context if known else None) or merged.context or None,
        max_input=known.max_input if known else None,
        max_output=entry.get("max_output") or (known.max_output if known else None),
        input_modalities=tuple(entry.get("input_modalities") or (known.input_modalities if known else ("text",))),
        supported_parameters=tuple(entry.get("parameters") or (known.supported_parameters if known else ())),
        source="hand" if "price" in entry else known.source if known else "hand",
        as_of=today if "price" in entry else known.as_of if known else today,
        retires_on=entry.get("retires_on") or (known.retires_on if known else None),
    )
    extra = [_ollama_offer(entry["id"], entry["ollama"], offer, today)] if "ollama" in entry else []
    others = [o for o in merged.offers if o.provider not in {offer.provider, *(e.provider for e in extra)}]
    context = offer.context or 0
    caps = tuple(entry.get("capabilities") or merged.capabilities)
    inputs = tuple(entry.get("input_modalities") or merged.input_modalities)
    made = msgspec.structs.replace(
        merged,
        name=entry["name"],
        maker=maker,
        family=entry.get("family") or merged.family or names.maker_and_family(entry["upstream"])[1],
        description=entry.get("description")
        or facts.describe("chat", title(maker), inputs, caps, context, offer.max_output),
        context=context,
        max_input=offer.max_input,
        max_output=offer.max_output,
        input_modalities=inputs,
        supported_parameters=offer.supported_parameters,
        capabilities=caps,
        released_on=entry.get("released_on") or merged.released_on,
        retires_on=offer.retires_on,
        tags=tuple(dict.fromkeys([*merged.tags, *entry.get("tags", ())])),
        sources={**merged.sources, "price": offer.source, "facts": entry["source"]},
        offers=(offer, *extra, *others),
    )
    return _with_aliases(made, [a.lower() for a in entry.get("aliases", ())])


def _ollama_offer(model_id: str, tag: str, like: Offer, today: str) -> Offer:
    return Offer(
        id=f"ollama/{model_id}",
        model_id=model_id,
        provider="ollama",
        upstream_id=tag,
        price=FREE,
        price_version=version_of(FREE, today),
        context=like.context,
        max_output=like.max_output,
        input_modalities=like.input_modalities,
        supported_parameters=like.supported_parameters,
        source="hand",
        as_of=today,
    )


def _ollama(entry: dict[str, Any], models: dict[str, ModelRecord], today: str) -> None:
    """An Ollama tag: one more offer of a known model, or a model of its own."""
    tag = entry["tag"]
    known = models.get(entry.get("model", ""))
    if known is not None:
        offers = (*known.offers, _ollama_offer(known.id, tag, known.offers[0], today))
        models[known.id] = _with_aliases(msgspec.structs.replace(known, offers=offers), [tag])
        return
    model_id = names.slug(entry.get("model") or tag.replace(":", "-"))
    kind = entry.get("kind", "chat")
    inputs = tuple(entry.get("input_modalities", ("text",)))
    maker, family = names.maker_and_family(model_id)
    maker, context = entry.get("maker", maker), entry.get("context", 0)
    parameters = ("max_tokens", "stop", "temperature", "top_p")
    caps = tuple(entry.get("capabilities", ("text", "code")))
    like = Offer(
        id="",
        model_id=model_id,
        provider="ollama",
        upstream_id=tag,
        context=context or None,
        input_modalities=inputs,
        supported_parameters=parameters + (("tools",) if "tools" in caps else ()),
    )
    models[model_id] = ModelRecord(
        id=model_id,
        name=entry.get("name") or facts.display_name(model_id),
        maker=maker,
        family=entry.get("family", family),
        kind=kind,
        description=facts.describe(kind, title(maker), inputs, caps, context, None),
        context=context,
        input_modalities=inputs,
        output_modalities=("text",) if kind == "chat" else (),
        supported_parameters=like.supported_parameters,
        capabilities=caps,
        aliases=(tag,),
        tags=("open_weights",),
        sources={"price": "hand", "facts": "https://ollama.com/library"},
        offers=(_ollama_offer(model_id, tag, like, today),),
    )


def _with_aliases(model: ModelRecord, aliases: list[str]) -> ModelRecord:
    return msgspec.structs.replace(model, aliases=tuple(sorted({*model.aliases, *aliases} - {model.id})))


def _unique_aliases(models: dict[str, ModelRecord]) -> None:
    """An alias that is another model's id, or another's alias too, is given to nobody but its best owner."""
    owner: dict[str, str] = {}
    for model in sorted(models.values(), key=lambda m: (-len(m.offers), m.id)):
        for alias in model.aliases:
            owner.setdefault(alias, model.id)
    for model_id, model in models.items():
        kept = tuple(a for a in model.aliases if a not in models and owner[a] == model_id)
        models[model_id] = msgspec.structs.replace(model, aliases=kept)


def _line(model: ModelRecord) -> tuple[str, str]:
    """What stays when versions change: (maker, words of the name without numbers)."""
    words = [
        t
        for t in re.findall(r"[a-z]+", model.id.lower())
        if t not in ("preview", "instruct", "it", "v", "chat", "turbo", "b", "a")
    ]
    return model.maker, " ".join(words)


def successor_of(model: ModelRecord, models: Mapping[str, ModelRecord]) -> str | None:
    """The newest model that stays: of the same line, else of the same family nearest in price; None if there is none."""
    stays = [
        m
        for m in models.values()
        if m.maker == model.maker and m.kind == model.kind and not m.retires_on and m.id != model.id
        and m.offers[0].provider in (m.maker, "huggingface")
        and (m.released_on or "") >= (model.released_on or "") and "free" not in m.id
    ]  # fmt: skip
    line = [m for m in stays if _line(m) == _line(model)]
    if line:
        return max(line, key=lambda m: (m.released_on or "", m.id)).id
    family = sorted((m for m in stays if m.family == model.family), key=lambda m: (m.released_on or "", m.id))[-8:]
    family = family or sorted(stays, key=lambda m: (m.released_on or "", m.id))[-8:]
    cost = model.offers[0].price.output if model.offers[0].price else 0
    near = min(family, key=lambda m: abs((m.offers[0].price.output if m.offers[0].price else 0) - cost), default=None)
    return near.id if near else None


def check(snapshot: Snapshot) -> None:
    """Raises ValueError if the snapshot breaks a promise of the catalogue."""
    ids = {m.id for m in snapshot.models}
    seen: set[str] = set()
    for model in snapshot.models:
        if not names.is_slug(model.id):
            raise ValueError(f"{model.id!r} is no id")
        if model.successor is not None and model.successor not in ids:
            raise ValueError(f"{model.id}: successor {model.successor} is not in the catalogue")
        if not model.offers or not model.capabilities:
            raise ValueError(f"{model.id} has no offer or no capability")
        for offer in model.offers:
            if offer.id in seen or offer.model_id != model.id:
                raise ValueError(f"offer {offer.id} is listed twice or under a wrong model")
            seen.add(offer.id)
            if offer.price is not None:
                validate_price(offer.price)
    missing = [i for i in (*GUIDE_IDS, "smollm2-135m") if i not in ids]
    if missing:
        raise ValueError(f"missing: {missing}")
    if sum(m.kind == "chat" for m in snapshot.models) < 500 or len(seen) < 2000:
        raise ValueError("too small: at least 500 chat models and 2,000 offers")
