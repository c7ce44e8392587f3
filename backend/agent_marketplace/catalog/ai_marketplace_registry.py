"""The catalogue in memory: the guide's registry, grown. Sync, no I/O; every change swaps one immutable state.

Availability, statistics and evidence are injected; without them the registry assumes that every provider but Ollama and
the local model can be reached, and orders popularity by how many providers offer a model and how new it is.
"""

import contextlib
import math
import threading
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import msgspec
from rapidfuzz import fuzz, process

from agent_marketplace.catalog import names
from agent_marketplace.catalog.hosts import HERE, title
from agent_marketplace.catalog.models import AIModel, Evidence, Offer, Stats, cost_per_1k, tier_of
from agent_marketplace.catalog.query import Page, run_query
from agent_marketplace.catalog.search import SearchIndex, Words, squash
from agent_marketplace.catalog.snapshot import Freshness, ModelRecord, Snapshot, bundled, freshness
from agent_marketplace.clock import Clock, SystemClock

Availability = Callable[[Offer], str | None] | Mapping[str, str | None]
"""Why an offer can't be called, or None if it can. A mapping is by offer id or provider; a missing provider has no key. A
callable is asked once for each provider, and for each offer of Ollama's, whose models come and go."""

MAX_NAME = 200
_BASIS_WITHOUT_EVIDENCE = "how many providers offer it, and how new it is"


@dataclass(frozen=True, slots=True)
class _Inputs:
    """All that the registry has been told."""

    snapshot: Snapshot
    fills: Callable[[Offer], bool]
    availability: Availability | None = None
    serves_retired: frozenset[str] = frozenset()
    off: frozenset[str] = frozenset()
    stats: Mapping[str, Stats] = field(default_factory=dict)
    evidence: Mapping[str, tuple[Evidence, ...]] = field(default_factory=dict)
    quality: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Derived:
    """What follows from a snapshot alone, whoever can be called."""

    snapshot: Snapshot
    offers: Mapping[str, tuple[Offer, ...]]
    names: Mapping[str, tuple[str, Offer | None]]
    words: Words


# Kept for the newest two snapshots of the process: reading every name again takes longer than all the rest of a start.
_recent: deque[_Derived] = deque(maxlen=2)


def _derive(snapshot: Snapshot) -> _Derived:
    for known in tuple(_recent):
        if known.snapshot is snapshot:
            return known
    offers = {r.id: r.offers for r in snapshot.models}
    made = _Derived(snapshot, offers, _name_table(snapshot), _words(snapshot))
    _recent.append(made)
    return made


def _words(snapshot: Snapshot) -> Words:
    """Those of a snapshot that reads the same, if there is one: a price that changes is in no name."""
    for known in tuple(_recent):
        before, now = known.snapshot.models, snapshot.models
        if len(before) == len(now) and all(
            a is b or _read(a) == _read(b) for a, b in zip(before, now, strict=True)
        ):
            return known.words
    return Words(snapshot.models)


def _read(record: ModelRecord) -> tuple[object, ...]:
    """All that `Words` may read of a record."""
    return msgspec.structs.replace(record, offers=()), [(o.provider, o.upstream_id) for o in record.offers]


class _CardKey(NamedTuple):
    """What a card is made of. best_id: of the best offer; reason: why it can't be called; fills: it fills in the middle."""

    record: ModelRecord
    best_id: str
    reason: str | None
    retired: bool
    runs_here: bool
    stats: Stats
    evidence: tuple[Evidence, ...]
    fills: bool


@dataclass(frozen=True, slots=True)
class _State:
    """What follows from it; replaced as a whole, so a reader never sees half a change."""

    inputs: _Inputs
    today: date
    models: tuple[AIModel, ...]
    by_id: Mapping[str, AIModel]
    keys: Mapping[str, _CardKey]
    derived: _Derived
    reasons: Mapping[str, str | None]
    index: SearchIndex
    basis: str


class MarketplaceRegistry:
    """Models and their offers. Without arguments: the bundled snapshot."""

    def __init__(
        self,
        snapshot: Snapshot | None = None,
        *,
        clock: Clock | None = None,
        fills: Callable[[Offer], bool] = lambda _offer: False,
    ) -> None:
        """fills: whether an offer's provider takes what stands after the cursor."""
        self._clock = clock or SystemClock()
        self._changing = threading.Lock()
        self._fresh: tuple[Snapshot, date, Freshness] | None = None
        self._told = _Inputs(snapshot or bundled(), fills)
        self._together = 0
        self._state = self._make(self._told, None)

    # --- the guide's six ---

    def get_all_models(self) -> list[AIModel]:
        """Every model, the most popular first."""
        return list(self._state.models)

    def search_models(self, query: str, limit: int = 50) -> list[AIModel]:
        """Best matches first, forgiving typing; an empty query gives all models, the most popular first."""
        if not query.strip():
            return self.get_all_models()
        state = self._state
        return state.index.search(query, limit)

    def filter_by_tier(self, tier: str) -> list[AIModel]:
        """Models of the tier `free`, `paid` or `premium`."""
        return [m for m in self._state.models if m.pricing_tier == tier]

    def filter_by_capability(self, capability: str) -> list[AIModel]:
        """Models with a capability (the table in catalog/facts.py)."""
        return [m for m in self._state.models if capability in m.capabilities]

    def get_popular_models(self, limit: int = 5) -> list[AIModel]:
        """The first `limit` models by `popular_basis`; retired models are left out."""
        return [m for m in self._state.models if not m.retired][: max(0, limit)]

    def get_model_by_id(self, model_id: str) -> AIModel | None:
        """The model with exactly this id of ours, or None."""
        return self._state.by_id.get(model_id)

    # --- more ---

    @property
    def popular_basis(self) -> str:
        """By what popularity is ordered, in words for people."""
        return self._state.basis

    def prices_as_of(self) -> Freshness:
        """How old what is known of prices is."""
        key = (self._state.inputs.snapshot, self._today())
        if self._fresh is None or self._fresh[0] is not key[0] or self._fresh[1] != key[1]:
            self._fresh = (*key, freshness(*key))
        return self._fresh[2]

    @property
    def revision(self) -> object:
        """Another object after every change of anything the registry shows."""
        return self._state

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot in use."""
        return self._state.inputs.snapshot

    @property
    def day(self) -> date:
        """The day for which its cards say who is retired."""
        return self._state.today

    def resolve(self, name: str) -> AIModel | None:
        """A model by our id, an alias, `provider/model` or an upstream id; spelling of separators and case don't matter."""
        found = self._find(name)
        return self._state.by_id[found[0]] if found else None

    def resolve_offer(self, name: str) -> Offer | None:
        """The offer that a name pins (`provider/model`, `provider/upstream id`, `...:free`); None if it pins none."""
        found = self._find(name)
        return found[1] if found else None

    def offers(self, model_id: str) -> tuple[Offer, ...]:
        """All offers of a model, the card's own first; () if unknown."""
        return self._state.derived.offers.get(model_id, ())

    def unavailable_reason(self, offer: Offer) -> str | None:
        """Why this offer can't be called now, or None if it can."""
        return self._state.reasons.get(offer.id, "this offer is no longer in the catalogue")

    def nearest(self, name: str, limit: int = 3) -> list[str]:
        """Ids of models that someone may have meant; a retired model's successor comes first."""
        known = self.resolve(name)
        first = [known.successor] if known is not None and known.successor else []
        words = name[:MAX_NAME]
        found = [m.id for m in self.search_models(words, limit + 1)] if squash(words) else []
        if len(found) < limit:
            close = process.extract(
                squash(words), {i: squash(i) for i in self._state.by_id}, scorer=fuzz.ratio, limit=limit
            )
            found += [str(i) for _, _, i in close]
        return [i for i in dict.fromkeys([*first, *found]) if known is None or i != known.id][:limit]

    def facets(self, models: Iterable[AIModel]) -> dict[str, dict[str, int]]:
        """How many of these models there are per tier, capability, provider and maker."""
        listed = list(models)
        return {
            "tier": dict(Counter(m.pricing_tier for m in listed)),
            "capability": dict(Counter(c for m in listed for c in m.capabilities).most_common()),
            "provider": dict(Counter(p for m in listed for p in m.providers).most_common()),
            "maker": dict(Counter(m.maker for m in listed if m.maker).most_common()),
        }

    def query(self, parameters: Mapping[str, str]) -> Page:
        """GET /models: filters, sorts and pages. Raises BadRequest that names the parameter and what is allowed."""
        return run_query(self, parameters)

    def endpoints(self, model_id: str) -> list[dict[str, Any]]:
        """GET /models/{id}/endpoints: offers as in docs/api.md."""
        return [o.to_dict(self.unavailable_reason(o)) for o in self.offers(model_id)]

    # --- what is injected ---

    def set_snapshot(self, snapshot: Snapshot) -> None:
        """Replaces the catalogue (after a sync or an operator's change)."""
        self._change(snapshot=snapshot)

    def set_availability(
        self, availability: Availability, *, serves_retired: Collection[str] = (), off: Collection[str] = ()
    ) -> None:
        """Who can be called. `serves_retired`: providers at the operator's own base URL, where no retirement binds; `off`: ids of
        offers that the operator switched off."""
        self._change(availability=availability, serves_retired=frozenset(serves_retired), off=frozenset(off))

    def set_stats(self, stats: Mapping[str, Stats]) -> None:
        """This installation's uses, ratings, latencies per model id. The same as before changes nothing until the next day."""
        if self._told.stats != stats or self._state.today != self._today():
            self._change(stats=dict(stats))

    def set_evidence(self, evidence: Mapping[str, Sequence[Evidence]], quality: Mapping[str, float]) -> None:
        """Public results per model id, and one number 0..1 per model that orders popularity while there is no traffic."""
        kept = {k: tuple(v) for k, v in evidence.items()}
        self._change(evidence=kept, quality=dict(quality))

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """What changes in the block is shown at its end, and indexed once: a start tells four things."""
        self._together += 1
        try:
            yield
        finally:
            self._together -= 1
            self._change()

    # --- making the state ---

    def _today(self) -> date:
        return datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC).date()

    def _change(self, **inputs: Any) -> None:
        """Replaces some of what the registry was told. From any thread; readers keep the old state until it is done."""
        with self._changing:
            told = replace(self._told, **inputs)
            if not self._together:
                self._state = self._make(told, self._state)
            self._told = told

    def _make(self, inputs: _Inputs, old: _State | None) -> _State:
        """old: whose cards are kept where nothing of theirs has changed."""
        today = self._today()
        iso = today.isoformat()
        reasons = _reasons(inputs, iso)
        if old is not None and (inputs, today) == (old.inputs, old.today) and reasons == old.reasons:
            return old
        keys: dict[str, _CardKey] = {}
        cards: list[AIModel] = []
        for record in inputs.snapshot.models:
            before = None if old is None else old.keys.get(record.id)
            key = _card_key(record, reasons, inputs, iso, before)
            keys[record.id] = key
            # Tuples compare their parts by identity first: an unchanged record is not looked into.
            cards.append(old.by_id[record.id] if old is not None and key == before else _card(key))
        prominence = _prominence(cards, inputs, today)
        derived = _derive(inputs.snapshot)
        index = SearchIndex(derived.words, tuple(cards), prominence)
        cards.sort(key=lambda m: (-m.use_count, -prominence[m.id], m.id))
        return _State(
            inputs, today, tuple(cards), {m.id: m for m in cards}, keys, derived, reasons, index, _basis(cards, inputs)
        )  # fmt: skip

    def _find(self, name: str) -> tuple[str, Offer | None] | None:
        if (
            len(name) > 4 * MAX_NAME
        ):  # blanks and all: a name of 30 MB would be read several times on the event loop
            return None
        table = self._state.derived.names
        if (known := table.get(name)) is not None and name[:1] != "=":  # spelt as we spell it, as most are
            return known
        text = name.strip().lower()
        if not text or len(text) > MAX_NAME or text.startswith("="):
            return None
        bare = text.removesuffix(":latest")  # at Ollama one model with the name alone
        return table.get(text) or table.get(bare) or table.get(f"={names.key(text)}")


def _gone(record: ModelRecord, today: str) -> str | None:
    """The day since when a model of closed weights is retired by its maker: nobody else has it to serve."""
    if record.retires_on is None or record.retires_on > today or "open_weights" in record.tags:
        return None
    return record.retires_on


def _reasons(inputs: _Inputs, today: str) -> dict[str, str | None]:
    """Why offers can't be called now, by id; None if one can."""
    told: dict[str, str | None] = {}
    reasons: dict[str, str | None] = {}
    by_offer = inputs.availability if isinstance(inputs.availability, Mapping) else {}
    for record in inputs.snapshot.models:
        gone = _gone(record, today)
        for offer in record.offers:
            provider = offer.provider
            ends = offer.retires_on
            if offer.id in inputs.off:
                reasons[offer.id] = "switched off by the operator"
            elif gone is not None and provider not in inputs.serves_retired:
                reasons[offer.id] = f"retired by its maker on {gone}"
            elif ends is not None and ends <= today and provider not in inputs.serves_retired:
                reasons[offer.id] = f"retired by its provider on {ends}"
            elif offer.id in by_offer:
                reasons[offer.id] = by_offer[offer.id]
            elif provider == "ollama":
                reasons[offer.id] = _reason(offer, inputs.availability)
            else:
                if provider not in told:
                    told[provider] = _reason(offer, inputs.availability)
                reasons[offer.id] = told[provider]
    return reasons


def _reason(offer: Offer, told: Availability | None) -> str | None:
    """Why an offer of this provider can't be called, apart from its end."""
    provider = offer.provider
    if callable(told):
        return told(offer)
    if told is None:
        nobody = {"ollama": "no Ollama server has been found", "local": "the demo model is not installed"}
        return nobody.get(provider)
    if provider in told:
        return told[provider]
    if provider == "ollama":
        return "no Ollama server has been found"
    return f"no key for {title(provider)} is configured"


def _basis(cards: Iterable[AIModel], inputs: _Inputs) -> str:
    if any(m.use_count for m in cards):
        return "calls on this server"
    return "public benchmarks" if inputs.quality else _BASIS_WITHOUT_EVIDENCE


_NO_STATS = Stats()


def _card_key(
    record: ModelRecord,
    reasons: Mapping[str, str | None],
    inputs: _Inputs,
    today: str,
    before: _CardKey | None,
) -> _CardKey:
    """The best offer is the first that can be called, else the first. before: the model's last, for what never changes."""
    best = next((o for o in record.offers if reasons[o.id] is None), record.offers[0])
    reason = reasons[best.id]
    retired = record.retires_on is not None and record.retires_on <= today
    if reason is not None and retired and record.successor:
        reason = f"{reason}; its successor is {record.successor}"
    stats = inputs.stats.get(record.id, _NO_STATS)
    here = any(o.provider in HERE and reasons[o.id] is None for o in record.offers)
    known = before is not None and before.record is record
    fills = before.fills if before is not None and known else any(inputs.fills(o) for o in record.offers)
    return _CardKey(record, best.id, reason, retired, here, stats, inputs.evidence.get(record.id, ()), fills)


def _card(key: _CardKey) -> AIModel:
    record, best_id, reason, retired, here, stats, evidence, fills = key
    best = next(o for o in record.offers if o.id == best_id)
    return AIModel(
        id=record.id,
        name=record.name,
        provider=best.provider,
        model_id=best.upstream_id,
        pricing_tier=tier_of(best.price),
        cost_per_1k=cost_per_1k(best.price),
        context_window=best.context or record.context,
        capabilities=(*record.capabilities, "fim") if fills else record.capabilities,
        rating=stats.rating,
        use_count=stats.use_count,
        is_available=reason is None,
        unavailable_reason=reason,
        description=record.description,
        maker=record.maker,
        family=record.family,
        price=best.price,
        max_input=best.max_input,
        max_output=best.max_output or record.max_output,
        input_modalities=record.input_modalities,
        output_modalities=record.output_modalities,
        supported_parameters=best.supported_parameters,
        offers_count=len(record.offers),
        providers=tuple(dict.fromkeys(o.provider for o in record.offers)),
        runs_here=here,
        rating_count=stats.rating_count,
        released_on=record.released_on,
        retires_on=record.retires_on,
        retired=retired,
        successor=record.successor,
        aliases=record.aliases,
        tags=record.tags,
        sources=record.sources,
        evidence=evidence,
        stats=stats,
    )


def _prominence(models: Sequence[AIModel], inputs: _Inputs, today: date) -> dict[str, float]:
    """0..1: public quality where it is known, and how many providers offer the model, halved for each year of age."""
    out: dict[str, float] = {}
    for model in models:
        released = model.released_on or (inputs.snapshot.built_on if "new" in model.tags else "2023-01-01")
        years = max(0.0, (today - date.fromisoformat(released)).days / 365.25)
        spread = min(1.0, math.log2(1 + model.offers_count) / 4.2) * 0.5**years
        if model.id in inputs.quality:
            value = 0.65 * inputs.quality[model.id] + 0.35 * spread
        else:
            value = 0.35 * spread if inputs.quality else spread
        odd = model.retired or "text" not in model.capabilities or "demo" in model.tags or not model.is_priced
        out[model.id] = value * (0.2 if odd else 1.0)
    return out


def _name_table(snapshot: Snapshot) -> dict[str, tuple[str, Offer | None]]:
    """Every name of a model, lower case; the first claim wins: ids, aliases, offers, upstream ids, loose spellings."""
    table: dict[str, tuple[str, Offer | None]] = {m.id: (m.id, None) for m in snapshot.models}
    for model in snapshot.models:
        for alias in model.aliases:
            table.setdefault(alias.lower(), (model.id, None))
    for model in snapshot.models:
        for offer in model.offers:
            table.setdefault(offer.id, (model.id, offer))
            table.setdefault(f"{offer.provider}/{offer.upstream_id}".lower(), (model.id, offer))
            for alias in model.aliases:
                table.setdefault(f"{offer.provider}/{alias}", (model.id, offer))
    for model in snapshot.models:
        for offer in model.offers:
            table.setdefault(
                offer.upstream_id.lower(), (model.id, offer if offer.upstream_id.endswith(":free") else None)
            )
    for model in snapshot.models:
        for text in (model.id, *model.aliases):
            table.setdefault(f"={names.key(text)}", (model.id, None))
    return table
