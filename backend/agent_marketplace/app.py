"""The composition root: settings in, every part of one process out. Nothing is created at import time."""

import asyncio
import contextlib
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent_marketplace.accounts.assemble import Accounts, assemble
from agent_marketplace.accounts.authenticator import Authenticator
from agent_marketplace.accounts.errors import InvalidToken
from agent_marketplace.accounts.limits import Limits
from agent_marketplace.admin import Admin, AgentDesk, Choices, MailDesk, OperatorKeys, PeopleDesk
from agent_marketplace.admin import store as admin_store
from agent_marketplace.admin.operator_keys import OPERATOR
from agent_marketplace.alerts import Alerts, Figures
from agent_marketplace.arena import Comparisons, Evaluations
from agent_marketplace.catalog import MarketplaceRegistry, Offer
from agent_marketplace.catalog import store as catalog_store
from agent_marketplace.catalog.declaring import models_of, said_by_ollama
from agent_marketplace.catalog.service import Catalog
from agent_marketplace.clock import Clock, SystemClock
from agent_marketplace.conversations.agents import Agents, Favourites
from agent_marketplace.conversations.conversations import Conversations
from agent_marketplace.conversations.library import Library
from agent_marketplace.db.engine import Database
from agent_marketplace.db.health import quick_check
from agent_marketplace.db.probe import Probe
from agent_marketplace.db.reports import Reports
from agent_marketplace.db.segments import Missing
from agent_marketplace.documents import DocumentReader
from agent_marketplace.errors import Unavailable
from agent_marketplace.gateway.ai_api_router import APIRouter
from agent_marketplace.gateway.assistant import Assistant
from agent_marketplace.gateway.bounds import Bounds
from agent_marketplace.gateway.credentials import Credentials
from agent_marketplace.gateway.health import Health
from agent_marketplace.gateway.parts import Parts
from agent_marketplace.gateway.planning import Planner
from agent_marketplace.gateway.preparing import Preparer
from agent_marketplace.gateway.targets import Targets
from agent_marketplace.ledger import Ledger
from agent_marketplace.ledger.archive import ArchiveError, Archiver
from agent_marketplace.listings import Listings, erase_user_in, ship
from agent_marketplace.mail import Mail
from agent_marketplace.net.drain import Drain
from agent_marketplace.net.factory import make_client
from agent_marketplace.net.http import OutboundClient
from agent_marketplace.net.late_client import LateClient
from agent_marketplace.net.traces import open_tracer
from agent_marketplace.opening import open_books
from agent_marketplace.payments import Payments
from agent_marketplace.payments.store import cancel_pending
from agent_marketplace.payments.stripe_checkout import StripeCheckout
from agent_marketplace.providers.endpoints import Endpoint, EndpointTable, Revealable
from agent_marketplace.providers.local import LocalModel, LocalStatus
from agent_marketplace.providers.ollama import Pulled
from agent_marketplace.providers.probe import Verdict, probe_key
from agent_marketplace.reasoning import KeptReasoning
from agent_marketplace.recommend.ai_recommendation_engine import RecommendationEngine
from agent_marketplace.recommend.encoder import default_encoder
from agent_marketplace.recommend.learner import Learner
from agent_marketplace.retention import forget
from agent_marketplace.runs import recovery
from agent_marketplace.runs.assemble import assemble_runs
from agent_marketplace.runs.records import Records
from agent_marketplace.runs.service import Runs
from agent_marketplace.settings import Settings
from agent_marketplace.usage_log import UsageLog
from agent_marketplace.vault import InstallationSecrets, Vault
from agent_marketplace.vault import store as vault_store
from agent_marketplace.wires import codecs
from agent_marketplace.wires.base import Codec
from agent_marketplace.wires.shared.bounds import warm

log = logging.getLogger(__name__)
_SWEEP_S = 5.0
_CHECKPOINT_S = 300.0
_ROLL_S = 10.0
_BOUNDS_S = 5.0
_STATS_S = 60.0
_PURGE_S = 3600.0
_THOUGHTS_S = 300.0
_OLLAMA_S = 30.0
_FOLLOW_S = 0.5
_ERASERS = (
    Records.erase_user_in,
    KeptReasoning.erase_user_in,
    Learner.erase_user_in,
    catalog_store.delete_ratings_of,
    erase_user_in,
    cancel_pending,
    Comparisons.erase_user_in,
    Evaluations.erase_user_in,
)
_RUNS_S = 10.0
_RECHARGE_S = 10.0
_MAIL_S = 2.0


@dataclass(slots=True)
class Market:
    """Every part of one process. `start` and `stop` frame its life in an event loop."""

    settings: Settings
    clock: Clock
    drain: Drain
    secrets: InstallationSecrets
    db: Database
    ledger: Ledger
    reports: Reports
    usage_log: UsageLog
    archiver: Archiver
    vault: Vault
    accounts: Accounts
    admin: Admin
    agent_desk: AgentDesk
    people_desk: PeopleDesk
    mail: Mail
    mail_desk: MailDesk
    choices: Choices
    operator_keys: OperatorKeys
    alerts: Alerts
    payments: Payments
    registry: MarketplaceRegistry
    catalog: Catalog
    learner: Learner
    engine: RecommendationEngine
    endpoints: EndpointTable
    targets: Targets
    credentials: Credentials
    health: Health
    router: APIRouter
    conversations: Conversations
    library: Library
    comparisons: Comparisons
    evaluations: Evaluations
    reasoning: KeptReasoning
    agents: Agents
    favourites: Favourites
    listings: Listings
    local: LocalModel
    codecs: Mapping[str, Codec]
    client: LateClient
    probe: Probe
    runs: Runs
    ollama: Pulled = field(default_factory=Pulled)
    documents: DocumentReader = field(default_factory=DocumentReader)
    keyless: str | None = field(default=None, repr=False)
    evaluating: set[asyncio.Task[None]] = field(default_factory=set)
    _jobs: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def authenticator(self) -> Authenticator:
        return self.accounts.authenticator

    @property
    def limits(self) -> Limits:
        return self.accounts.limits

    async def start(self) -> None:
        """Recovers what a dead process left, brings up the local model in the background, and the regular jobs."""
        made = make_client(self.settings)
        self.client.real, self.client.counts = made, made.counts
        self.router.parts.tracer = open_tracer(self.settings.otlp_endpoint)
        with self.registry.together():
            await self.catalog.load()
            self.refresh_availability()
        await self._declare_operators_models()
        await self.choices.follow()
        await self.operator_keys.follow()
        await self.router.parts.bounds.refresh()
        await asyncio.to_thread(warm)
        await self._begin_journal()
        lost = await self.ledger.recover()
        if lost:
            log.warning("%d requests of a process that died were ended as lost", lost)
        self.keyless = await self._keyless()
        await self._take_up_runs()
        self.local.start()
        for every_s, job in (
            (_SWEEP_S, lambda: self.ledger.sweep(self.router.parts.running)),
            (_CHECKPOINT_S, self._checkpoint),
            (_CHECKPOINT_S, self.ledger.sweep_earnings),
            (_ROLL_S, self.usage_log.roll),
            (_BOUNDS_S, self.router.parts.bounds.refresh),
            (_FOLLOW_S, self.follow),
            (_STATS_S, self.catalog.flush),
            (_STATS_S, self.learner.refresh),
            (_PURGE_S, self.conversations.purge_expired),
            (_THOUGHTS_S, self.reasoning.forget_expired),
            (_PURGE_S, lambda: forget(self.db, self.clock)),
            (_OLLAMA_S, self.discover_ollama),
            (_RUNS_S, self.runs.beat),
            (_PURGE_S, self.runs.forget),
            (_STATS_S, self.payments.sweep),
            (_RECHARGE_S, self.payments.beat),
            (_MAIL_S, self.mail.deliver),
            (_STATS_S, self.mail.watch),
            (_STATS_S, self.alerts.beat),
            (_PURGE_S, self.mail.forget),
            *(((_PURGE_S, self._archive),) if self.settings.archive_days else ()),
        ):
            self._jobs.append(asyncio.create_task(_regularly(every_s, job)))
        self._jobs.append(asyncio.create_task(self.discover_ollama()))
        self._jobs.append(asyncio.create_task(self._look_for_damage()))
        self._jobs.append(asyncio.create_task(self._bring_agents_up_to_date()))

    async def stop(self) -> None:
        """Ends and settles what runs, then lets go of everything."""
        for job in (running := (*self._jobs, *self.evaluating)):
            job.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self.runs.close()
        if self.router.parts.tracer is not None:
            await asyncio.to_thread(self.router.parts.tracer.close)
        with contextlib.suppress(Unavailable):  # popularity counts are not worth what follows
            await self.catalog.store_traffic()
        await self.local.stop()
        await self.client.close()
        await self.ledger.close()
        self.accounts.close()
        self.reports.close()
        self.db.close()

    async def follow(self) -> None:
        """Catches up with what other processes changed, in one small read: prices and models, what administrators chose, the
        operator's keys."""
        number, chosen, secrets = await self.db.read(
            lambda c: (
                catalog_store.change_number(c),
                admin_store.choices(c),
                vault_store.secrets_of(c, OPERATOR),
            )
        )
        await self.catalog.catch_up(number)
        self.choices.catch_up(chosen)
        await self.operator_keys.catch_up(self.vault.catch_up(OPERATOR, secrets))

    async def _checkpoint(self) -> None:
        """A head that can't be written elsewhere is told, and costs the books nothing: it is tried again in five minutes."""
        try:
            if self.settings.head_file is None:
                await self.ledger.checkpoint()
            else:
                await self.ledger.keep_head(self.settings.head_file)
        except OSError as error:
            log.warning("the ledger's head could not be kept in MARKETPLACE_HEAD_FILE: %s", error)
        await self.ledger.verify_new()

    async def _archive(self) -> None:
        """What can't be moved stays where it is, and the log says why, each hour."""
        try:
            await self.archiver.run(self.settings.archive_days)
        except (ArchiveError, Missing, OSError) as error:
            log.error("old requests could not be archived: %s", error)  # noqa: TRY400  the words say it all

    async def _look_for_damage(self) -> None:
        """Beside the first requests: reading every page of a large file takes seconds."""
        damage = await self.db.read(quick_check)
        if damage is not None:
            self.db.stop_writing(damage)

    async def _bring_agents_up_to_date(self) -> None:
        """What earlier versions kept of agents in the open is sealed, once; those that come with the product are published."""
        with contextlib.suppress(Unavailable):  # it is read either way, and the next start seals it
            if sealed := await self.agents.seal_parameters():
                log.info("sealed the parameters of %d versions of agents", sealed)
            await ship(self.db, self.vault, self.clock)

    async def _keyless(self) -> str | None:
        """The key that Ollama clients without one run under; None where there is none, or one without a cap."""
        if (text := self.settings.ollama_keyless) is None:
            return None
        try:
            owner = await self.authenticator.verify(text)
            keys = await self.accounts.keys.list(owner.user_id)
            capped = any(k.key_id == owner.key_id and k.cap is not None for k in keys)
        except InvalidToken:
            capped = False
        if not capped:
            log.error(
                "MARKETPLACE_OLLAMA_KEYLESS is no marketplace key with a cap: clients without a key are refused"
            )
            return None
        return text

    async def _begin_journal(self) -> None:
        """A settlement that the database does not take is kept in the data directory until it does."""
        try:
            posted = await self.ledger.begin_journal(self.settings.data_dir / "unposted")
        except OSError as error:
            log.warning("answers that end while the database is away will not be charged: %s", error)
            return
        if posted:
            log.warning("posted %d settlements that a process that died had kept", posted)

    async def _take_up_runs(self) -> None:
        """On SQLite one process serves: whoever drove a run before is gone. Elsewhere leases tell (`Runs.beat`)."""
        if self.db.dialect == "sqlite":
            await recovery.recover(self.runs, everything=True)

    async def discover_ollama(self) -> None:
        """Lists what the operator's Ollama serves now; one that is away keeps its models for when it is back."""
        endpoint = self.endpoints.get("ollama")
        if endpoint is None or not await self.ollama.poll(self.client, endpoint, self.clock.now_ms()):
            return
        if self.ollama.away and self.ollama.models:
            log.warning("Ollama does not answer: its models stay listed")
        await self.catalog.set_ollama(
            {tag: said_by_ollama(shown) for tag, shown in self.ollama.models.items()}
        )
        self.refresh_availability()

    async def _declare_operators_models(self) -> None:
        """The models of providers.toml, at the operator's prices."""
        await self.catalog.declare_all(models_of(self.endpoints.all()))

    def keys_changed(self, user_id: str, provider: str) -> None:
        """A provider key was saved, tested or deleted: it counts at once."""
        self.credentials.forget(user_id)
        self.health.reset(provider)

    def availability(self, offer: Offer) -> str | None:
        """Why an offer can't be called on this installation's own account, or None."""
        if offer.provider == "local":
            return (
                None
                if self.local.status.ready
                else (self.local.status.words or "the local model is not running")
            )
        if offer.provider == "ollama":
            return self.ollama.why_not(offer.upstream_id)
        endpoint = self.endpoints.get(offer.provider)
        if endpoint is None:
            return f"{offer.provider} is not served here"
        if not endpoint.configured:
            return f"no key for {offer.provider} is configured: save your own, or ask the operator"
        return None

    def _operators_key_changed(self, provider: str) -> None:
        self.health.reset(provider)
        self.refresh_availability()

    def _apply_choices(self) -> None:
        """An administrator chose something, in this process or another."""
        self.settings = settings = self.choices.settings
        self.accounts.follow(settings)
        self.payments.settings = settings.payments
        self.targets.mark_up(settings.markup)
        self.learner.trust_everybody(everybody=settings.signup != "open")
        self.refresh_availability()

    def follow_the_operator(self) -> None:
        """From here on what is chosen in the console counts in this process."""
        self.choices.apply, self.operator_keys.changed = self._apply_choices, self._operators_key_changed

    def refresh_availability(self) -> None:
        """After a change of what can be called."""
        at_own_hosts = [e.name for e in self.endpoints.all() if e.allow_private]
        self.registry.set_availability(self.availability, serves_retired=at_own_hosts, off=self.choices.off)


def build(
    settings: Settings,
    *,
    drain: Drain | None = None,
    clock: Clock | None = None,
    env: Mapping[str, str] | None = None,
    strict: bool = True,
) -> Market:
    """Makes every part. Raises SettingsError, MigrationError. The database is brought to this version first.

    strict: not where data exist that one of the secrets does not open.
    """
    clock, drain = clock or SystemClock(), drain or Drain()
    books = open_books(settings, clock=clock, strict=strict)
    secrets, db, ledger, vault = books.secrets, books.db, books.ledger, books.vault
    quota = settings.storage_per_user
    reasoning, favourites = KeptReasoning(db, vault, clock), Favourites(db, clock)
    conversations = Conversations(db, vault, clock, quota=quota)
    endpoints = EndpointTable(settings, os.environ if env is None else env)
    client, registry = LateClient(), MarketplaceRegistry(clock=clock, fills=_fills(endpoints))
    catalog = Catalog(db, registry, clock=clock)
    probe = _probe(client, endpoints)
    mail = Mail(db, settings.mail, clock, secret=secrets.key_pepper, site=settings.site)
    accounts = assemble(
        db, ledger, vault, settings, secrets, clock, mail, probe=probe,
        providers=endpoints.byok_providers(), keyless=endpoints.keyless(), erasers=(conversations.erase_user_in, *_ERASERS),
    )  # fmt: skip
    credentials, health, wires, ollama = Credentials(vault), Health(clock), codecs(), Pulled()
    targets = Targets(registry, endpoints, settings.markup, ollama.unheard)
    engine = RecommendationEngine(registry, accounts.auth, clock=clock, encoder=default_encoder)
    catalog.heard = lambda: (engine.experience.shown_ratings(), engine.experience.uses)
    assistant = Assistant(engine, ledger, credentials)
    planner = Planner(
        registry=registry, endpoints=endpoints, targets=targets, credentials=credentials, health=health, choose=assistant.choose,
    )  # fmt: skip
    router = APIRouter(
        Parts(
            planner=planner, preparer=Preparer(endpoints, wires, credentials, reasoning), ledger=ledger, client=client, clock=clock,
            drain=drain, health=health, bounds=Bounds(db, ledger, clock, settings.absorbed_limit_nano), catalog=catalog,
            output_range=assistant.output_range, usual_output=engine.usual_output, running=accounts.in_flight,
            lowers_length=settings.lower_max_tokens,
        )
    )  # fmt: skip
    admin = Admin(db, ledger, accounts.auth, clock)
    listings = Listings.on(db, vault, ledger, clock, author_bp=settings.agent_author_bp)
    agents = Agents(db, vault, clock, lambda name: registry.resolve(name) is not None, quota=quota)
    payments = _payments(db, ledger, admin, settings, clock, registry, client, mail)
    figures = Figures(ledger, books.usage_log, payments, registry, settings.data_dir, clock)
    market = Market(
        settings=settings, clock=clock, drain=drain, secrets=secrets, db=db, ledger=ledger, vault=vault, accounts=accounts,
        archiver=books.archiver, reports=books.reports, usage_log=books.usage_log, admin=admin,
        agent_desk=AgentDesk(db, admin, ledger, listings, clock),
        people_desk=PeopleDesk(db, admin, accounts.auth, accounts.keys, clock),
        choices=Choices(db, admin, clock, settings), operator_keys=OperatorKeys(vault, admin, endpoints, probe),
        payments=payments, mail=mail, alerts=Alerts(db, admin, mail, vault, client, figures, clock),
        mail_desk=MailDesk(db, admin, mail, accounts.by_link.links), registry=registry, catalog=catalog,
        engine=engine, client=client, codecs=wires, ollama=ollama, listings=listings,
        learner=Learner(db, clock, engine, everybody_trusted=settings.signup != "open"),
        endpoints=endpoints, targets=targets, credentials=credentials, health=health,
        router=router, probe=Probe(db), conversations=conversations, reasoning=reasoning, favourites=favourites,
        agents=agents, runs=assemble_runs(db, vault, router, registry, agents, listings, wires["openai"], settings, quota),
        comparisons=Comparisons(db, vault, clock, quota=quota), evaluations=Evaluations(db, vault, clock),
        local=LocalModel(settings.models_dir, enabled=settings.local_model), library=Library.on(db, vault, clock, registry, quota=quota),
    )  # fmt: skip
    market.local.on_change = _local_changed(market)
    market.follow_the_operator()
    with registry.together():
        registry.set_evidence(engine.quality.evidence(), engine.quality.overall_share(registry))
        market.refresh_availability()
    return market


def _payments(
    db: Database,
    ledger: Ledger,
    admin: Admin,
    settings: Settings,
    clock: Clock,
    registry: MarketplaceRegistry,
    client: OutboundClient,
    mail: Mail,
) -> Payments:
    def resolve(name: str) -> str | None:
        return None if (model := registry.resolve(name)) is None else model.model_id

    processor = StripeCheckout(client, settings.payments)
    return Payments(db, ledger, admin, settings.payments, clock, resolve, processor, mail, settings.site)


def _fills(endpoints: EndpointTable) -> Callable[[Offer], bool]:
    return lambda offer: endpoints.way(offer.provider, offer.upstream_id) is not None


def _local_changed(market: Market) -> Callable[[LocalStatus, Endpoint | None], None]:
    def changed(status: LocalStatus, endpoint: Endpoint | None) -> None:
        if endpoint is not None:
            market.endpoints.put(endpoint)
        market.health.reset("local")
        market.refresh_availability()
        log.info("local model: %s", status.words or status.state)

    return changed


def _probe(
    client: OutboundClient, endpoints: EndpointTable
) -> Callable[[str, Revealable], Awaitable[Verdict]]:
    async def probe(provider: str, secret: Revealable) -> Verdict:
        endpoint = endpoints.get(provider)
        return "unverified" if endpoint is None else await probe_key(client, endpoint, secret)

    return probe


async def _regularly(every_s: float, job: Callable[[], Awaitable[Any]]) -> None:
    waiting = False  # one line for each absence of the database, not one a round
    while True:
        await asyncio.sleep(every_s)
        try:
            await job()
            waiting = False
        except Unavailable as error:
            if not waiting:
                log.warning("a regular job (%s) waits: %s", getattr(job, "__name__", job), error.message)
            waiting = True
        except Exception:  # a job that fails once must not stop for ever: the next round tries again
            log.exception("a regular job failed")
