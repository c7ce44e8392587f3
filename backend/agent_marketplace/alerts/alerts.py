"""Looks at the rules every minute, writes what is to be told in the transaction that changes a rule's state, and tells it."""

import logging
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import msgspec
import sqlalchemy as sa

from agent_marketplace import json
from agent_marketplace.admin import Actor, Admin
from agent_marketplace.alerts import store
from agent_marketplace.alerts.figures import Figures
from agent_marketplace.alerts.rules import RULES, Reading, Rule, State, judged, written
from agent_marketplace.alerts.store import Notice, Target
from agent_marketplace.clock import Clock
from agent_marketplace.db.engine import Database
from agent_marketplace.errors import BadRequest, MarketplaceError, NotFound, Unavailable
from agent_marketplace.ids import new_id
from agent_marketplace.mail import Mail
from agent_marketplace.net.errors import NetError
from agent_marketplace.net.http import OutboundClient, OutboundRequest, Timeouts
from agent_marketplace.vault import Vault

log = logging.getLogger(__name__)
TRIES = 5
"""Failures in a row after which a target is told nothing more until somebody switches it on again."""
_RETRY_MS = (60_000, 300_000, 900_000, 3_600_000)
_LEASE_MS = 120_000
_A_ROUND = 20
_MOST_TARGETS = 20
_OWNER = "operator"
_TIMEOUTS = Timeouts(first_byte_s=10, idle_s=10, total_s=20)
_FAILURES = 400  # a status from here on is one


class Alerts:
    """The operator's alerts. client: webhooks go out through it, to public addresses only."""

    def __init__(
        self, db: Database, admin: Admin, mail: Mail, vault: Vault, client: OutboundClient, figures: Figures, clock: Clock
    ) -> None:  # fmt: skip
        self._db = db
        self._admin = admin
        self._mail = mail
        self._vault = vault
        self._client = client
        self._figures = figures
        self._clock = clock

    async def beat(self) -> None:
        """Every minute: a look, and what is to be told."""
        found = await self._figures.read()
        changed = await self._db.write(partial(self._looked, found=found))
        for rule, state in changed:
            log.warning("alert %s: %s", state.state, _told(rule, state))
        await self.deliver()

    async def deliver(self) -> int:
        """Tells what is due. Returns how many were told."""
        told = 0
        for _ in range(_A_ROUND):
            if (claimed := await self._db.write(self._claim)) is None:
                break
            notice, target = claimed
            try:
                await self._tell(target, json.decode(notice.body.encode()))
            except MarketplaceError as error:
                await self._db.write(partial(self._failed, notice=notice, words=error.message))
            else:
                await self._db.write(partial(self._arrived, notice=notice))
                told += 1
        return told

    async def rules(self) -> list[tuple[Rule, State]]:
        """Every rule, as it stands."""
        states = await self._db.read(store.states)
        return [(rule, states.get(rule.name) or self._fresh(rule)) for rule in RULES.values()]

    async def targets(self) -> list[Target]:
        """Where alerts are told, besides the log."""
        return await self._db.read(store.all_targets)

    async def set_rule(self, by: Actor, name: str, *, armed: bool, most: int, reason: str) -> None:
        """Changes a rule; it is judged anew at the next look. most: in its unit. Raises NotFound."""

        def work(connection: sa.Connection) -> None:
            if (rule := RULES.get(name)) is None:
                raise NotFound("No such rule")
            store.lock(connection)
            before = store.states(connection).get(name) or self._fresh(rule)
            after = msgspec.structs.replace(before, armed=int(armed), most=most, over=0)
            store.put_state(connection, after)
            was, now = ({"armed": s.armed, "most": s.most} for s in (before, after))
            self._admin.record_in(connection, by, "alert rule", name, was, now, reason)

        await self._db.write(work)

    async def add_target(self, by: Actor, kind: str, address: str, *, reason: str) -> Target:
        """A mail address or a webhook's https address. Raises BadRequest."""
        shown = _shown(kind, address)
        if kind == "mail" and not self._mail.works:
            raise BadRequest("This server has no mail: set MARKETPLACE_SMTP_URL", code="no_mail")
        target_id = new_id("alt")
        sealed = await self._vault.seal_text(_OWNER, target_id, address)
        made = Target(
            id=target_id, kind=kind, shown=shown, address_sealed=sealed, created_at=self._clock.now_ms()
        )

        def work(connection: sa.Connection) -> None:
            store.lock(connection)
            if len(store.all_targets(connection)) >= _MOST_TARGETS:
                raise BadRequest(f"At most {_MOST_TARGETS} targets")
            store.add_target(connection, made)
            self._admin.record_in(
                connection, by, "alert target", target_id, {}, {"kind": kind, "to": shown}, reason
            )

        await self._db.write(work)
        return made

    async def remove_target(self, by: Actor, target_id: str, *, reason: str) -> None:
        """Nothing is told there any more. Raises NotFound."""

        def work(connection: sa.Connection) -> None:
            found = self._target(connection, target_id)
            store.remove_target(connection, target_id)
            was = {"kind": found.kind, "to": found.shown}
            self._admin.record_in(connection, by, "remove alert target", target_id, was, {}, reason)

        await self._db.write(work)

    async def test(self, target_id: str) -> None:
        """Tells a target something now, and switches it on again where it arrives. Raises NotFound, Unavailable (what went wrong)."""
        found = await self._db.read(partial(self._target, target_id=target_id))
        body = _body("test", "test", "This is a test of the alerts.", None, None, self._clock.now_ms())
        try:
            await self._tell(found, body)
        except MarketplaceError as error:
            await self._db.write(
                partial(store.change_target, target_id=target_id, values={"words": error.message[:300]})
            )
            raise
        working = {"failures": 0, "words": "", "disabled_at": None}
        await self._db.write(partial(store.change_target, target_id=target_id, values=working))

    def _looked(self, connection: sa.Connection, found: dict[str, Reading]) -> list[tuple[Rule, State]]:
        store.lock(connection)
        now, states, changed = self._clock.now_ms(), store.states(connection), []
        for name, reading in found.items():
            rule, before = RULES[name], states.get(name)
            after = judged(rule, before or self._fresh(rule), reading, now)
            if after != before:
                store.put_state(connection, after)
            if after.state != (before or self._fresh(rule)).state:
                changed.append((rule, after))
        for target in store.all_targets(connection) if changed else ():
            if target.disabled_at is None:
                for rule, state in changed:
                    told = _body(state.state, rule.name, _told(rule, state), state.value, state.most, now)
                    notice = Notice(
                        id=new_id("ntc"), target_id=target.id, body=json.encode(told).decode(), attempts=0, due_at=now
                    )  # fmt: skip
                    store.add_notice(connection, notice)
        return changed

    def _claim(self, connection: sa.Connection) -> tuple[Notice, Target] | None:
        now = self._clock.now_ms()
        return store.claim_notice(connection, now, now + _LEASE_MS)

    def _failed(self, connection: sa.Connection, notice: Notice, words: str) -> None:
        if (target := store.target(connection, notice.target_id)) is None:
            return
        failures, now = target.failures + 1, self._clock.now_ms()
        over = failures >= TRIES
        values = {"failures": failures, "words": words[:300], "disabled_at": now if over else None}
        store.change_target(connection, target.id, values)
        if over:
            store.drop_notices(connection, target.id)
            log.error("alerts are told no more to %s %s: %s", target.kind, target.shown, words)
        else:
            store.delay_notice(connection, notice.id, now + _RETRY_MS[failures - 1])

    def _arrived(self, connection: sa.Connection, notice: Notice) -> None:
        store.end_notice(connection, notice.id)
        store.change_target(connection, notice.target_id, {"failures": 0, "words": ""})

    async def _tell(self, target: Target, body: dict[str, Any]) -> None:
        """Raises Unavailable with what went wrong."""
        address = await self._vault.open_text(_OWNER, target.id, target.address_sealed)
        if target.kind == "mail":
            facts = {"words": str(body["text"]), "event": str(body["event"])}
            await self._mail.send_now("alert", facts, address)
            return
        headers = {"content-type": "application/json"}
        request = OutboundRequest("POST", address, headers, json.encode(body), _TIMEOUTS, max_body=65_536)
        try:
            answer = await self._client.send(request)
            answer.cancel()
        except NetError as error:
            raise Unavailable(f"{type(error).__name__}: {error}"[:300]) from error
        if answer.status >= _FAILURES:
            raise Unavailable(f"it answered {answer.status}")

    def _target(self, connection: sa.Connection, target_id: str) -> Target:
        if (found := store.target(connection, target_id)) is None:
            raise NotFound("No such target")
        return found

    def _fresh(self, rule: Rule) -> State:
        return State(name=rule.name, armed=1, most=rule.most, changed_at=self._clock.now_ms())


def _shown(kind: str, address: str) -> str:
    """What lists show of an address. Raises BadRequest."""
    if kind == "mail":
        if not address.isprintable() or address.count("@") != 1 or " " in address:
            raise BadRequest("This is no mail address")
        return address[:254]
    try:
        url = urlsplit(address)
        host = url.hostname or ""
    except ValueError:
        host = ""
    if not host or not address.isascii() or not address.isprintable() or url.scheme != "https":
        raise BadRequest("A webhook's address begins with https://")
    return host[:254]


def _told(rule: Rule, state: State) -> str:
    value, most = written(rule.unit, state.value or 0), written(rule.unit, state.most)
    more = f" ({state.words})" if state.words else ""
    return f"{rule.words}: {value}{more}; the limit is {most}"


def _body(event: str, name: str, words: str, value: int | None, most: int | None, now: int) -> dict[str, Any]:
    """`text` is what chat programs' webhooks show."""
    text = words if event == "test" else f"{'ALERT' if event == 'raised' else 'Over'}: {words}"
    return {"event": event, "alert": name, "text": text, "value": value, "limit": most, "at": now}
