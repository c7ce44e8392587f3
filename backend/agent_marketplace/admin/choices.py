"""What administrators choose while servers run: settings that the environment leaves open, the banner, models switched off.

Every process reads the rows again twice a second (`Market.follow`) and applies what changed: no restart.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace

import msgspec
import sqlalchemy as sa

from agent_marketplace import settings as env
from agent_marketplace.admin import store
from agent_marketplace.admin.admin import Actor, Admin
from agent_marketplace.clock import Clock
from agent_marketplace.db.engine import Database
from agent_marketplace.errors import BadRequest, Conflict, NotFound
from agent_marketplace.settings import CHANGEABLE, Settings, SettingsError

log = logging.getLogger(__name__)
BANNER = "banner"
OFF = "off:"
MOST_BANNER = 300
_TOPUPS = (
    "MARKETPLACE_TOPUP_LEAST",
    "MARKETPLACE_TOPUP_MOST",
)  # of each other: no order fits between wrong ones
MONEY = frozenset(
    {
        "MARKETPLACE_SIGNUP_CREDIT",
        "MARKETPLACE_SIGNUP_CREDIT_DAILY",
        "MARKETPLACE_SIGNUP_CREDITS_PER_ADDRESS",
        "MARKETPLACE_MARKUP",
        "MARKETPLACE_TRANSFER",
        "MARKETPLACE_ISSUER",
        "MARKETPLACE_TOPUP_LEAST",
        "MARKETPLACE_TOPUP_MOST",
        "MARKETPLACE_REFUND_DAYS",
        "MARKETPLACE_RECHARGE",
    }
)  # these ask for the administrator's password


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One setting as the console shows it. source: environment (not to be changed here), console, or default."""

    name: str
    value: str
    default: str
    source: str


class Choices:
    """The choices of one installation, as this process knows them. apply: puts changed ones to use here."""

    def __init__(self, db: Database, admin: Admin, clock: Clock, started: Settings) -> None:
        self._db = db
        self._admin = admin
        self._clock = clock
        self._started = started
        self._seen: Mapping[str, str] = {}
        self.settings = started
        self.banner = ""
        self.off: frozenset[str] = frozenset()
        self.apply: Callable[[], None] = lambda: None

    async def follow(self) -> None:
        """Reads what was chosen, here or by another process; a choice that this version can't read counts as none."""
        self.catch_up(await self._db.read(store.choices))

    def catch_up(self, rows: Mapping[str, str]) -> None:
        """As `follow`, where what was chosen (`store.choices`) has been read."""
        if rows == self._seen:
            return
        self._seen = rows
        self.settings, self.banner = self._with(rows), rows.get(BANNER, "")
        self.off = frozenset(name.removeprefix(OFF) for name in rows if name.startswith(OFF))
        self.apply()

    def _with(self, rows: Mapping[str, str]) -> Settings:
        """The settings that count with these choices."""
        return self._orderable(self._chosen(rows))

    def _chosen(self, rows: Mapping[str, str]) -> Settings:
        settings = self._started
        for name, value in rows.items():
            if name in CHANGEABLE and name not in self._started.given:
                try:
                    settings = env.changed(settings, {name: value})
                except SettingsError as problem:
                    log.warning("a setting of the console is left out: %s", problem)
        return settings

    def _orderable(self, settings: Settings) -> Settings:
        """With the environment's limits of orders, where one that was set there later leaves no amount beside the console's."""
        try:
            env.check_topups(settings.payments)
        except SettingsError as problem:
            log.warning("the console's limits of orders are left out: %s", problem)
            own = self._started.payments
            payments = replace(settings.payments, least_nano=own.least_nano, most_nano=own.most_nano)
            return replace(settings, payments=payments)
        return settings

    def shown(self) -> list[Setting]:
        """Every setting that there is to choose, and the banner."""
        found = [
            Setting(
                name=name,
                value=env.text_of(self.settings, name),
                default=env.text_of(self._started, name),
                source=self._source(name),
            )
            for name in CHANGEABLE
        ]
        banner = "console" if self.banner else "default"
        return [*found, Setting(name=BANNER, value=self.banner, default="", source=banner)]

    async def choose(self, by: Actor, name: str, value: str | None, *, reason: str) -> None:
        """Changes a setting; None: as it is without a choice. Raises NotFound, Conflict (the environment sets it), BadRequest."""
        if name != BANNER and name not in CHANGEABLE:
            raise NotFound("There is no such setting to choose")
        if name in self._started.given:
            raise Conflict(f"{name} is set by the environment: change it there", code="set_by_environment")
        if name == BANNER:
            value = (value or "").strip() or None
            if value is not None and len(value) > MOST_BANNER:
                raise BadRequest(f"The banner may have at most {MOST_BANNER} characters")
        elif value is not None:
            try:
                value = env.text_of(env.changed(self._started, {name: value.strip()}), name)
            except SettingsError as problem:
                raise BadRequest(str(problem)) from None
        await self._write(by, name, value, "setting", name, reason)

    async def switch(self, by: Actor, offer_id: str, *, off: bool, reason: str) -> None:
        """Takes an offer out of what is called on the operator's account, or puts it back."""
        await self._write(by, f"{OFF}{offer_id}", "off" if off else None, "switch model", offer_id, reason)

    async def _write(
        self, by: Actor, name: str, value: str | None, act: str, object_: str, reason: str
    ) -> None:
        def work(connection: sa.Connection) -> None:
            before = store.choices(connection).get(name)
            store.choose(connection, name, value, self._clock.now_ms())
            self._admin.record_in(
                connection, by, act, object_[:120], {"value": before}, {"value": value}, reason
            )
            if name in _TOPUPS:  # after the record, whose lock lets one administrator write at a time
                try:
                    env.check_topups(self._chosen(store.choices(connection)).payments)
                except SettingsError as problem:
                    raise BadRequest(str(problem)) from None

        await self._db.write(work)
        await self.follow()

    def _source(self, name: str) -> str:
        if name in self._started.given:
            return "environment"
        return "console" if name in self._seen else "default"
