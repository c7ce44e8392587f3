"""The catalogue's effects in one place: what is stored is laid over the snapshot, and the registry is told."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from agent_marketplace.catalog import store
from agent_marketplace.catalog.ai_marketplace_registry import MarketplaceRegistry
from agent_marketplace.catalog.models import prices_dict
from agent_marketplace.catalog.names import is_slug
from agent_marketplace.catalog.overlay import overlay, version_of
from agent_marketplace.catalog.own import Declared, Said, declared, with_ollama
from agent_marketplace.catalog.snapshot import ModelRecord, Snapshot, bundled
from agent_marketplace.catalog.store import PriceRow, Review
from agent_marketplace.catalog.sync import FEEDS, Feed, FeedReport, Fetch, sync
from agent_marketplace.catalog.traffic import Traffic, summarise
from agent_marketplace.clock import Clock, SystemClock
from agent_marketplace.db.engine import Database
from agent_marketplace.errors import BadRequest, Forbidden, NotFound
from agent_marketplace.ledger.pricing import Price, validate_price

STATS_DAYS = 30

_MAX_UPSTREAM_ID = 200


class Catalog:
    """Registry plus database. `load()` first; then `registry` is current after every change made through here."""

    def __init__(
        self,
        db: Database,
        registry: MarketplaceRegistry,
        *,
        clock: Clock | None = None,
        base: Snapshot | None = None,
    ) -> None:
        self.registry = registry
        self.traffic = Traffic()
        self.heard: Callable[[], tuple[Mapping[str, tuple[Decimal, int]], Mapping[str, int]]] = lambda: (
            {},
            {},
        )
        self._db = db
        self._clock = clock or SystemClock()
        self._base = base or bundled()
        self._ollama: Mapping[str, Said | None] = {}
        self._changing = asyncio.Lock()
        self._reloading = asyncio.Lock()
        self._seen = -1
        self._next_price_at: int | None = None

    # --- loading ---

    async def load(self) -> None:
        """Notes the bundled prices on the record, then lays everything stored over the snapshot."""
        now = self._clock.now_ms()
        await self._db.write(lambda c: self._note_bundled(c, now))
        await self._reload()
        await self.refresh_stats()

    def _note_bundled(self, connection: Any, now: int) -> None:
        """One row for each bundled price that is not on the record yet: any bill can be recomputed later."""
        known = store.prices_in_force(connection, now)
        rows = [
            PriceRow(o.id, now, o.price, o.price_version, "bundled", o.as_of)
            for m in self._base.models
            for o in m.offers
            if o.price is not None and (o.id not in known or _outdates(o.as_of, o.price_version, known[o.id]))
        ]
        store.add_prices(connection, rows, now)

    async def _reload(self) -> None:
        now = self._clock.now_ms()

        def apply(connection: Any) -> None:
            """In a reader thread: indexing takes a tenth of a second, which the event loop must not lose."""
            self._seen, self._next_price_at = (
                store.change_number(connection),
                store.next_price_at(connection, now),
            )
            found = [record for record, _, _ in store.models(connection)]
            snapshot = overlay(
                self._base, found, store.offers(connection), store.prices_in_force(connection, now)
            )
            snapshot = with_ollama(snapshot, self._ollama, self._today())
            if snapshot != self.registry.snapshot:
                self.registry.set_snapshot(snapshot)

        async with self._reloading:
            await self._db.read(apply)

    async def follow(self) -> None:
        """Catches up with what another process changed, and with a dated price whose moment has come; else one small read."""
        await self.catch_up(await self._db.read(store.change_number))

    async def catch_up(self, number: int) -> None:
        """As `follow`, where the number of changes (`store.change_number`) has been read."""
        due = self._next_price_at is not None and self._clock.now_ms() >= self._next_price_at
        if due or number != self._seen:
            await self._reload()

    def _today(self) -> str:
        return _day(self._clock.now_ms() // 86_400_000)

    async def set_ollama(self, tags: Mapping[str, Said | None]) -> None:
        """What the operator's Ollama serves now, and says of it; every tag becomes an offer that costs nothing."""
        self._ollama = dict(sorted(tags.items()))
        await self._reload()

    # --- prices ---

    async def sync(self, fetch: Fetch, feeds: Sequence[Feed] = FEEDS) -> list[FeedReport]:
        """Refreshes from public lists (catalog/sync.py); one at a time; never raises for a feed's sake."""
        async with self._changing:
            reports = []
            for feed in feeds:
                reports += await sync(
                    self._db, lambda: self.registry.snapshot, fetch, self._clock, self._today(), [feed]
                )
                if reports[-1].outcome == "changed":
                    await self._reload()
            return reports

    async def reviews(self) -> list[Review]:
        """Price changes that wait for the operator."""
        return await self._db.read(store.open_reviews)

    async def decide(
        self, review_id: str, *, accept: bool, note: Callable[[Any, Review], None] | None = None
    ) -> Review:
        """Takes or refuses a waiting change; note(connection, review) is done in the same transaction. Raises NotFound."""
        now, today = self._clock.now_ms(), self._today()

        def act(connection: Any) -> Review:
            review = store.decide_review(connection, review_id, "accepted" if accept else "rejected", now)
            if review is None:
                raise NotFound("There is no such open review")
            if accept:
                row = PriceRow(
                    review.offer_id,
                    now,
                    review.new_price,
                    version_of(review.new_price, today),
                    review.source,
                    today,
                )
                store.add_prices(connection, [row], now)
            if note is not None:
                note(connection, review)
            return review

        review = await self._db.write(act)
        await self._reload()
        return review

    async def set_price(
        self,
        offer_id: str,
        price: Price | None,
        *,
        effective_at: int | None = None,
        note: Callable[[Any], None] | None = None,
    ) -> None:
        """The operator's own price for an offer, from now or a later moment (ms); note(connection) is done in the same
        transaction. Raises NotFound, BadRequest."""
        now = self._clock.now_ms()
        if all(o.id != offer_id for m in self.registry.snapshot.models for o in m.offers):
            raise NotFound(f"There is no offer {offer_id[:100]}")
        if effective_at is not None and effective_at < now:
            raise BadRequest("A price can't take effect in the past: bills of that time are settled")
        try:
            checked = None if price is None else validate_price(price)
        except ValueError as problem:
            raise BadRequest(str(problem)) from None
        at, today = effective_at or now, self._today()
        row = PriceRow(offer_id, at, checked, version_of(checked, today), "operator", today)

        def work(connection: Any) -> None:
            store.add_prices(connection, [row], now)
            if note is not None:
                note(connection)

        await self._db.write(work)
        await self._reload()

    async def declare_all(self, models: Iterable[Declared]) -> None:
        """The models at the operator's own endpoints are these and no others: one write and one reload, none at all if that is
        known. Raises BadRequest on an impossible id or price."""
        here = {m.id: m for m in self.registry.snapshot.models}
        base = {m.id: m for m in self._base.models}
        told: dict[str, ModelRecord] = {}
        for one in models:
            told[one.model_id] = self._declared(
                one, here.get(one.model_id), base.get(one.model_id), told.get(one.model_id)
            )
        changed = [record for record in told.values() if record != here.get(record.id)]
        gone = await self._db.read(store.declared_ids) - told.keys()
        if changed or gone:
            now = self._clock.now_ms()

            def write(connection: Any) -> None:
                if gone:
                    store.delete_models(connection, gone)
                if changed:
                    store.put_models(connection, changed, "operator", now)

            await self._db.write(write)
            await self._reload()

    def _declared(
        self, told: Declared, known: ModelRecord | None, like: ModelRecord | None, before: ModelRecord | None
    ) -> ModelRecord:
        """known: what the catalogue says of the model now; like: what the bundled one does; before: the same model at another
        endpoint of the operator's."""
        if (
            not is_slug(told.model_id)
            or not is_slug(told.provider)
            or not 0 < len(told.upstream_id) <= _MAX_UPSTREAM_ID
        ):
            raise BadRequest(
                "Model ids and provider names are of a-z, 0-9, dot, dash and underscore, and no reserved word"
            )
        try:
            checked = None if told.price is None else validate_price(told.price)
        except ValueError as problem:
            raise BadRequest(str(problem)) from None
        if like is None and known is not None and known.sources.get("facts") != "operator":
            like = known  # a feed's; what the operator said earlier does not outlive what is said now
        others = tuple(o for o in before.offers if o.source == "operator") if before else ()
        return declared(
            told.model_id, told.provider, told.upstream_id, price=checked, said=told.said,
            as_of=self._today(), like=like, others=others,
        )  # fmt: skip

    async def price_history(self, model_id: str) -> list[dict[str, Any]]:
        """Dated prices of all offers of a model, newest first, as decimal strings in dollars per million."""
        offer_ids = [o.id for o in self.registry.offers(model_id)]
        rows = await self._db.read(lambda c: store.price_history(c, offer_ids))
        return [
            {
                "offer_id": r.offer_id,
                "effective_at": datetime.fromtimestamp(r.effective_at / 1000, UTC)
                .isoformat()
                .replace("+00:00", "Z"),
                "prices": prices_dict(r.price),
                "price_version": r.price_version,
                "source": r.source,
                "as_of": r.as_of,
            }
            for r in rows
        ]

    async def price_of_version(self, version: str) -> Price | None:
        """The price that a receipt's price version names."""
        return await self._db.read(lambda c: store.price_of_version(c, version))

    async def added_at(self) -> dict[str, int]:
        """When feeds or the operator brought a model here, ms."""
        rows = await self._db.read(store.models)
        return {record.id: at for record, _, at in rows}

    # --- ratings and traffic ---

    async def rate(self, user_id: str, model_id: str, stars: int, *, has_paid: bool) -> None:
        """Notes a user's 1 to 5 stars for a model; what is shown of them, `rating_of` says. has_paid: for a call of this model.

        Raises NotFound, BadRequest, Forbidden (only who has paid for a model's answers may rate it).
        """
        if self.registry.get_model_by_id(model_id) is None:
            raise NotFound("Model not found", extra={"nearest": self.registry.nearest(model_id)})
        if isinstance(stars, bool) or not isinstance(stars, int) or not 1 <= stars <= 5:
            raise BadRequest("stars is a whole number from 1 to 5")
        if not has_paid:
            raise Forbidden("Only users who have paid for an answer of this model can rate it")
        now = self._clock.now_ms()
        await self._db.write(lambda c: store.put_rating(c, user_id, model_id, stars, now))

    async def rating_of(self, model_id: str) -> tuple[Decimal | None, int]:
        """Stars shown for a model, and how many gave them, as of now."""
        await self.refresh_stats()
        model = self.registry.get_model_by_id(model_id)
        return (model.rating, model.rating_count) if model else (None, 0)

    def served(
        self, model_id: str, provider: str, *, first_token_s: float | None, tokens_per_s: float | None
    ) -> None:
        """Counts one delivered answer; stored by the next `flush`."""
        self.traffic.served(model_id, provider, self._today(), first_token_s, tokens_per_s)

    def failed(self, model_id: str, provider: str) -> None:
        """Counts one failure of a provider; stored by the next `flush`."""
        self.traffic.failed(model_id, provider, self._today())

    async def flush(self) -> None:
        """Stores what was counted and refreshes the statistics; what can't be stored is kept for the next time."""
        if await self.store_traffic():
            await self.refresh_stats()

    async def store_traffic(self) -> bool:
        """Stores what was counted, if anything was; all that a server which stops still needs of `flush`."""
        counts = self.traffic.take()
        if not counts:
            return False
        try:
            await self._db.write(lambda c: store.add_traffic(c, counts), durable=False)
        except BaseException:  # a cancellation too: what was taken must not be lost
            self.traffic.give_back(counts)
            raise
        return True

    async def refresh_stats(self) -> None:
        """Reads the last 30 days' traffic, and what users with a voice said and used, into the registry."""
        since = (datetime.fromisoformat(self._today()) - timedelta(days=STATS_DAYS)).date().isoformat()
        cells = await self._db.read(lambda c: store.traffic_since(c, since))
        self.registry.set_stats(summarise(cells, *self.heard()))


def _outdates(as_of: str, version: str, row: PriceRow) -> bool:
    """Whether a bundled price is news against the row in force."""
    return row.source == "bundled" and row.price_version != version and as_of >= row.as_of


@lru_cache(maxsize=8)
def _day(number: int) -> str:
    """The day so many days after the epoch, YYYY-MM-DD."""
    return (date(1970, 1, 1) + timedelta(days=number)).isoformat()
