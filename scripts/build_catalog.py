"""Builds the bundled catalogue from public price lists: `python scripts/build_catalog.py [--wheels DIR]`.

Prices of one offer, by source (freshest first: litellm, genai-prices, rates):
1. a zero price counts only where the name says `free`; elsewhere it means "not known";
2. if all agree within a factor of three, the freshest is taken;
3. else, if two agree within 5 %, the fresher of those two is taken;
4. else the dearest is taken and the offer is marked `price_disputed`.
A model is listed if its maker sells it, or Hugging Face or OpenRouter route it, or two providers do, and a list other
than genai-prices (which also keeps history) knows it. Names that end in `latest` are aliases, never priced rows.
"""

import argparse
import datetime
import json
import re
import tempfile
import tomllib
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import catalog_wheels
import msgspec

from agent_marketplace.catalog import facts, fees, names
from agent_marketplace.catalog.hosts import host_names, title
from agent_marketplace.catalog.models import Offer
from agent_marketplace.catalog.overlay import version_of
from agent_marketplace.catalog.snapshot import ModelRecord, Snapshot, Source
from agent_marketplace.catalog.sources import Row
from agent_marketplace.ledger.pricing import Price

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "backend/agent_marketplace/catalog/data/catalog.json"
FRESHEST = tuple(s.name for s in catalog_wheels.SOURCES)
ROUTERS = ("huggingface", "openrouter")
FIRST_PARTIES = ("openai", "anthropic", "google", "mistral", "deepseek", "xai", "cohere", "moonshotai", "zai", "minimax")

_NO_MODEL = re.compile(
    r"(:|-)batch|^auto$|auto-|guard|moderation|whisper|transcri|-tts|tts-|realtime|-live|lyria|rerank|^(ada|babbage|curie|davinci|container"
    r"|chat|fusion|bodybuilder|router|default|free|pareto-code|summarize|extract|classify|compress)$|^v\d+$|container|claude-v1|-alpha$"
    r"|experimental|-gv2|gemini-gemma|vibe-cli|mistral-code-|-beta(-|$)"
    r"|commitment|computer-use|deep-research-(pro|max)-preview|image-edit|^ft:|switchpoint|embed-.*image|test|optimizer|^mt\d"
    r"|(-|^)(sft|lora)(-|$)|speech|native-audio"
)
_EMBEDDING = re.compile(r"embed|^voyage|^bge|^gte-|^e5-|^uae-|minilm|paraphrase")
_IMAGE = re.compile(
    r"gpt-image|image-generation|-image(-|$)|^imagen|^flux|^sd3|stable-(image|diffusion)|seedream|banana|dall-e|imagine"
)
_VARIANT = re.compile(r"-(fast|think|thinking-mode|search|high|low|medium|xhigh|max|minimal|nothink|non-thinking)$")


class Group:
    """All rows of one model at one provider."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def offer(self, model_id: str, provider: str, *, free: bool) -> Offer | None:
        """The one offer these rows make; None if there is none of this kind (a `:free` variant is its own offer)."""
        rows = [r for r in self.rows if _says_free(r.upstream_id) == free]
        if not rows:
            return None
        upstream = min((r.upstream_id for r in rows), key=lambda u: _plainness(u, rows))
        same = [r for r in rows if r.upstream_id.lower() == upstream.lower()]
        per_source = {r.source: r for r in [*rows, *same]}
        priced = [per_source[s] for s in FRESHEST if s in per_source]
        price, source, disputed = settle_price(priced, free=free)
        best = [r for s in ("rates", "litellm", "genai-prices") for r in (*same, *rows) if r.source == s]
        limits = [r.max_input for r in rows if r.source == "litellm" and r.max_input]
        context = max([r.context for r in best if r.context][:1] + limits[:1], default=None)
        max_input = limits[0] if limits and context and limits[0] < context else None
        return Offer(
            id=f"{provider}/{model_id}{':free' if free else ''}",
            model_id=model_id,
            provider=provider,
            upstream_id=upstream,
            price=price,
            price_version=version_of(price, _as_of(source)),
            price_disputed=disputed,
            context=context,
            max_input=max_input,
            max_output=next((r.max_output for r in best if r.max_output and (not context or r.max_output <= context)), None),
            input_modalities=_modalities(best, "input_modalities"),
            output_modalities=_modalities(best, "output_modalities"),
            supported_parameters=tuple(sorted({p for r in best for p in r.supported_parameters})),
            source=source or best[0].source,
            as_of=_as_of(source or best[0].source),
            retires_on=next((r.retires_on for r in same if r.retires_on), None),
        )


def _plainness(upstream: str, rows: list[Row]) -> tuple[object, ...]:
    """Sort key: not regional, not dated, known to the fresh list, to many lists, short."""
    listed = {r.source for r in rows if r.upstream_id == upstream}
    low = upstream.lower()
    regional = re.match(r"^(us|eu|apac|global|jp|au|ap-\w+-\d|\w+-\w+-\d/|data-zone)[./]", low) is not None
    return (regional, names.is_dated(upstream), listed == {"genai-prices"}, -len(listed), len(upstream), upstream)


def _says_free(upstream: str) -> bool:
    return upstream.lower().endswith((":free", "-free"))


def _modalities(rows: list[Row], field: str) -> tuple[str, ...]:
    order = ("text", "image", "pdf", "audio", "video")
    known = next((getattr(r, field) for r in rows if getattr(r, field)), ("text",))
    return tuple(m for m in order if m in ("pdf" if k in ("file", "document") else k for k in known)) or ("text",)


def settle_price(rows: list[Row], *, free: bool) -> tuple[Price | None, str, bool]:
    """(price, its source, disputed) by the rules at the top; rows freshest first."""
    known = [r for r in rows if r.price is not None and (free or not r.price.free)]
    if not known:
        return None, "", False
    known = [r for r in known if _figures(r)[0] or (r.price and r.price.per_image)] or known
    if not _apart(known, Decimal(3)):
        return known[0].price, known[0].source, False
    for i, row in enumerate(known):
        if any(not _apart([row, other], Decimal("1.05")) for other in known[i + 1 :]):
            return row.price, row.source, False
    dearest = max(known, key=lambda r: _figures(r)[1] + 3 * _figures(r)[0])
    return dearest.price, dearest.source, True


def _figures(row: Row) -> tuple[int, int]:
    """What is compared; the lists disagree on what the output price of an image model means, so only its input counts."""
    assert row.price is not None
    return row.price.input, 0 if row.kind == "image" or _IMAGE.search(names.bare(row.upstream_id)) else row.price.output


def _apart(rows: list[Row], factor: Decimal) -> bool:
    """Whether any two differ by more than this factor in input or output."""
    return any(max(figures) > factor * min(figures) for figures in zip(*(_figures(r) for r in rows), strict=True))


def _as_of(source: str) -> str:
    return next(
        (s.as_of for s in catalog_wheels.SOURCES if s.name == source), datetime.datetime.now(datetime.UTC).date().isoformat()
    )


# --- grouping ---


def group_rows(rows: dict[str, list[Row]], same: dict[str, str]) -> dict[str, dict[str, Group]]:
    """{key of a name: {provider: its rows}}; names that are no models of ours are left out."""
    groups: dict[str, dict[str, Group]] = defaultdict(lambda: defaultdict(Group))
    for source, listed in rows.items():
        hosts = host_names(source)
        for row in listed:
            name = names.bare(row.upstream_id)
            if (
                row.provider not in hosts
                or row.kind == "other"
                or _NO_MODEL.search(f"{name}")
                or ":batch" in row.upstream_id
            ):
                continue
            if row.upstream_id.startswith("~") or name.endswith("latest") or "/routers/" in row.upstream_id:
                continue
            key = names.key(row.upstream_id)
            if key:
                groups[same.get(key, key)][hosts[row.provider]].rows.append(row)
    return groups


def is_listed(key: str, hosts: dict[str, Group], keep: Iterable[str], keys: Iterable[str]) -> bool:
    """The rule for which models are in the catalogue."""
    rows = [r for g in hosts.values() for r in g.rows]
    name = names.bare(rows[0].upstream_id)
    if key in keep:
        return True
    if {r.source for r in rows} == {"genai-prices"} or rows[0].upstream_id.startswith("stealth/"):
        return False
    if _VARIANT.search(name) and names.key(_VARIANT.sub("", name)) in keys and names.maker_and_family(name)[0] not in hosts:
        return False
    if re.search(r"^claude.*-fast", name):
        return False
    maker = names.maker_and_family(name)[0]
    return maker in hosts or any(r in hosts for r in ROUTERS) or len(hosts) > 1


def model_slug(key: str, hosts: dict[str, Group], ids: dict[str, str]) -> str:
    """Our id: the guide's, else the maker's own spelling, else Hugging Face's, OpenRouter's, the commonest."""
    if key in ids:
        return ids[key]
    maker = names.maker_and_family(next(iter(hosts.values())).rows[0].upstream_id)[0]
    order = (maker, *ROUTERS) if maker in ("openai", "anthropic", "google") else (*ROUTERS, maker)
    spelled = [_spelling(hosts[h]) for h in (*order, *sorted(hosts, key=lambda h: -len(hosts[h].rows))) if h in hosts]
    dotted = [s for s in spelled if "." in s and s.replace(".", "-") == spelled[0]] if maker != "anthropic" else []
    return names.slug((dotted or spelled)[0])


def _spelling(group: Group) -> str:
    best = min((r.upstream_id for r in group.rows), key=lambda u: _plainness(u, group.rows))
    return names.plain(names.undated(names.bare(best)))


def kind_of(name: str, rows: list[Row]) -> str:
    """chat, embedding or image; the lists' own word first, genai-prices has none."""
    told = {r.kind for r in rows if r.source != "genai-prices"}
    if "embedding" in told or _EMBEDDING.search(name):
        return "embedding"
    if "image" in told and ("chat" not in told or _IMAGE.search(name)):
        return "image"
    return "image" if _IMAGE.search(name) else "chat"


def record(key: str, hosts: dict[str, Group], hand: dict[str, Any]) -> ModelRecord | None:
    """One model's card and offers."""
    model_id = model_slug(key, hosts, hand["ids"])
    rows = [r for g in hosts.values() for r in g.rows]
    kind = kind_of(model_id, rows)
    maker, family = names.maker_and_family(rows[0].upstream_id)
    sold = {h: g for h, g in hosts.items() if key in hand["keep"]["keys"] or not _only_history(h, g)}
    made = [o for host, group in sold.items() for free in (False, True) if (o := group.offer(model_id, host, free=free))]
    if not made:
        return None
    if not maker:
        paths = [r.upstream_id for r in rows if r.upstream_id.count("/") == 1 and not r.upstream_id.startswith("@")]
        maker = names.slug(paths[0].split("/")[0]) if paths else ""
    if not any(o.price for o in made):
        return None
    offers = tuple(sorted((_with_fees(o) for o in made), key=lambda o: _rank(o, maker)))
    top = [r for s in ("rates", "litellm", "genai-prices") for r in hosts[offers[0].provider].rows if r.source == s]
    inputs = _modalities(top, "input_modalities")
    outputs = _modalities(top, "output_modalities") if kind == "chat" else ("image",) if kind == "image" else ()
    parameters = offers[0].supported_parameters
    context = offers[0].context or next((o.context for o in offers if o.context), 0)
    caps = facts.capabilities(model_id, kind, inputs, outputs, parameters, context)
    released = min((r.released_on for r in rows if r.released_on), default=None)
    own = next(
        (r for r in rows if r.source == "genai-prices" and r.name and host_names("genai-prices").get(r.provider) == maker),
        None,
    )
    aliases = {names.bare(r.upstream_id) for r in rows} | {names.undated(names.bare(r.upstream_id)) for r in rows}
    sources = {
        "price": offers[0].source,
        "limits": "rates" if any(r.source == "rates" and r.context for r in top) else top[0].source,
    }
    sources |= {"modalities": top[0].source, "released_on": "rates"} if released else {"modalities": top[0].source}
    sources |= {"retires_on": "litellm"} if offers[0].retires_on else {}
    tags = ["free_offer"] if any(o.is_free for o in offers) else []
    tags += ["open_weights"] if "huggingface" in hosts else []
    tags += ["new"] if key in hand["new"]["keys"] else []
    return ModelRecord(
        id=model_id,
        # A list that writes the id with spaces ("gpt 4.1") gives no name.
        name=own.name
        if own and own.name != own.name.lower() and names.key(own.name.replace(" ", "-")) == key
        else facts.display_name(model_id),
        maker=maker,
        family=family or model_id.split("-")[0],
        kind=kind,
        description=facts.describe(kind, title(maker) if maker else "", inputs, caps, context, offers[0].max_output),
        context=context,
        max_input=offers[0].max_input,
        max_output=offers[0].max_output,
        input_modalities=inputs,
        output_modalities=outputs,
        supported_parameters=parameters,
        capabilities=caps,
        released_on=released,
        retires_on=offers[0].retires_on if offers[0].provider in (maker, *ROUTERS) else None,
        aliases=tuple(sorted(a for a in aliases if a != model_id and not a.endswith("free"))),
        tags=tuple(tags),
        sources=sources,
        offers=offers,
    )


def _with_fees(offer: Offer) -> Offer:
    """The offer with what it bills besides tokens; without a price where that is not known."""
    price = fees.fitted(offer.provider, offer.upstream_id, offer.price)
    if price == offer.price:
        return offer
    return msgspec.structs.replace(offer, price=price, price_version=version_of(price, offer.as_of))


def _only_history(host: str, group: Group) -> bool:
    """Whether a first party's model is known to the list that keeps history only: it is no longer sold there."""
    return host in FIRST_PARTIES and {r.source for r in group.rows} == {"genai-prices"}


def _rank(offer: Offer, maker: str) -> tuple[object, ...]:
    """The card's offer first: the maker's, Hugging Face's, then by price; unpriced and free variants last."""
    order = 0 if offer.provider == maker else 1 if offer.provider == "huggingface" else 2
    cost = 3 * offer.price.input + offer.price.output if offer.price else 0
    return (offer.price is None, offer.is_free, order, offer.price_disputed, cost, offer.provider)


# --- main ---


def build(wheels: Path, today: str) -> Snapshot:
    """The whole snapshot. Raises ValueError if it would break a promise of the catalogue."""
    from catalog_hand import apply_hand, check

    hand = tomllib.loads((Path(__file__).parent / "catalog_hand.toml").read_text(), parse_float=Decimal)
    groups = group_rows(catalog_wheels.rows(wheels, today), hand["same"])
    for key in hand["drop"]["keys"]:
        groups.pop(key, None)
    keys = set(groups)
    models: dict[str, ModelRecord] = {}
    for key, hosts in sorted(groups.items()):
        if is_listed(key, hosts, hand["keep"]["keys"], keys) and (made := record(key, hosts, hand)):
            if made.id in models:
                raise ValueError(f"{made.id} is the id of two keys; one is {key}")
            models[made.id] = made
    apply_hand(models, hand, today)
    sources = (
        *catalog_wheels.SOURCES,
        Source(name="hand", version="1", as_of=today, licence="Apache-2.0", url="scripts/catalog_hand.toml"),
    )
    snapshot = Snapshot(schema=1, built_on=today, sources=sources, models=tuple(models[k] for k in sorted(models)))
    check(snapshot)
    return snapshot


def write(snapshot: Snapshot, target: Path) -> None:
    """One model a line, so that a diff shows which model changed; absent prices are left out."""
    head = msgspec.to_builtins(snapshot)
    lines = [json.dumps(_slim(m), ensure_ascii=False, separators=(",", ":")) for m in head.pop("models")]
    opening = json.dumps(head, ensure_ascii=False, separators=(",", ":"))[:-1]
    target.write_text(opening + ',"models":[\n' + ",\n".join(lines) + "\n]}\n", encoding="utf-8")


def _slim(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            k: _slim(v)
            for k, v in value.items()
            if v is not None and not (k in ("per_request", "per_image") and v == 0) and v not in ([], ())
        }
    return [_slim(v) for v in value] if isinstance(value, (list, tuple)) else value


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--wheels", type=Path, help="folder with the wheels (default: fetch them with pip)")
    parser.add_argument("--date", default=datetime.datetime.now(datetime.UTC).date().isoformat(), help="as of, YYYY-MM-DD")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        wheels = arguments.wheels or Path(folder)
        if arguments.wheels is None:
            catalog_wheels.download(wheels)
        snapshot = build(wheels, arguments.date)
    write(snapshot, TARGET)
    offers = sum(len(m.offers) for m in snapshot.models)
    chat = sum(m.kind == "chat" for m in snapshot.models)
    print(f"{TARGET.name}: {len(snapshot.models)} models ({chat} chat), {offers} offers, {TARGET.stat().st_size:,} bytes")  # noqa: T201


if __name__ == "__main__":
    main()
