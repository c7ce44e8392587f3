"""From a name (`agent/<publisher>/<slug>[@n]`) to the version that a run pins, or the reason why there is none."""

import re

import msgspec
import sqlalchemy as sa

from agent_marketplace.clock import Clock
from agent_marketplace.db.engine import Database
from agent_marketplace.errors import BadRequest, Forbidden, NotFound, Unavailable
from agent_marketplace.ledger import dollars
from agent_marketplace.listings import store
from agent_marketplace.listings.spec import FREE, Spec
from agent_marketplace.listings.types import Consent, Head, Pinned, Version
from agent_marketplace.vault import Vault

DAY_MS = 86_400_000
KEPT_FOR_PINS_MS = 90 * DAY_MS  # a withdrawn version still runs for who pinned it
_NAME = re.compile(r"agent/([a-z0-9-]{2,40})/([a-z0-9-]{2,40})(?:@([1-9][0-9]{0,8}))?")


def is_agent(model: str) -> bool:
    """Whether a model's name means an offered agent."""
    return model.startswith("agent/")


def parse(name: str) -> tuple[str, str, int | None]:
    """(publisher, slug, version or None). Raises BadRequest."""
    found = _NAME.fullmatch(name)
    if found is None:
        raise BadRequest("An agent is named agent/<publisher>/<slug>, or with @<version> behind it")
    return found[1], found[2], int(found[3]) if found[3] else None


class Resolver:
    """Finds what is to be run. Everything is read in one snapshot; the content is checked against its hash."""

    def __init__(self, db: Database, vault: Vault, clock: Clock) -> None:
        self._db = db
        self._vault = vault
        self._clock = clock

    async def resolve(self, name: str, user_id: str) -> Pinned:
        """What a run of `name` by this user is of.

        Raises BadRequest (name), NotFound (also: not the caller's to see), Forbidden (`agent_suspended`, `agent_withdrawn`,
        `consent_required`: extra then names hosts, tools, scopes and the version to agree to), Unavailable (its content is
        not what was hashed).
        """
        publisher, slug, number = parse(name)

        def work(connection: sa.Connection) -> tuple[Head, Version, bytes, bool]:
            head = store.head_at(connection, publisher, slug)
            if head is None or (head.visibility == "private" and head.user_id != user_id):
                raise NotFound("No such agent")
            consent = store.consent(connection, user_id, head.agent_id)
            wanted = _wanted(head, number, consent, own=head.user_id == user_id)
            found = None if wanted is None else store.version(connection, head.agent_id, wanted)
            if found is None:
                raise NotFound("No such agent")
            self._admit(head, found[0], consent, user_id)
            return head, *found, store.kin(connection, user_id, head.user_id)

        head, version, sealed, own = await self._db.read(work)
        spec = await self.opened(version, sealed)
        return Pinned(
            agent_id=head.agent_id,
            version=version.version,
            author_id=head.user_id,
            path=head.path,
            content_hash=version.content_hash,
            spec=spec,
            price=FREE if own else version.price_at(self._clock.now_ms()),
            own=own,
        )

    async def pinned(self, agent_id: str, version: int, user_id: str) -> Pinned:
        """What a run that has begun is of, without asking whether it may begin (another worker takes it over). Its price is
        the run's own to remember. Raises NotFound, Unavailable."""

        def work(connection: sa.Connection) -> tuple[Head, Version, bytes]:
            head, found = store.head(connection, agent_id), store.version(connection, agent_id, version)
            if head is None or found is None:
                raise NotFound("No such agent")
            return head, *found

        head, found, sealed = await self._db.read(work)
        own = head.user_id == user_id
        return Pinned(
            agent_id=agent_id, version=version, author_id=head.user_id, path=head.path, content_hash=found.content_hash,
            spec=await self.opened(found, sealed), price=FREE if own else found.price_at(self._clock.now_ms()), own=own,
        )  # fmt: skip

    async def stopped(self, agent_id: str, version: int) -> bool:
        """The kill switch: whether running runs of this version must end at their next step."""
        found = await self._db.read(lambda c: store.version(c, agent_id, version))
        return found is None or found[0].state == "suspended"

    async def opened(self, version: Version, sealed: bytes) -> Spec:
        """The spec with its instructions. Raises Unavailable where it is not what was hashed."""
        cipher = await self._vault.texts(version.user_id)
        text = cipher.open(sealed_place(version.agent_id, version.version), sealed)
        spec = msgspec.structs.replace(version.spec, instructions=text)
        if spec.content_hash != version.content_hash:
            raise Unavailable("This version is not what was published: it is not run", code="agent_changed")
        return spec

    def _admit(self, head: Head, version: Version, consent: Consent | None, user_id: str) -> None:
        own = head.user_id == user_id
        if version.state == "suspended":
            raise Forbidden("This version was suspended", code="agent_suspended")
        if own:
            return
        if version.state == "withdrawn":
            since = self._clock.now_ms() - (version.decided_at or 0)
            if consent is None or consent.pinned != version.version or since > KEPT_FOR_PINS_MS:
                raise Forbidden("This version was withdrawn by its author", code="agent_withdrawn")
        elif version.state != "listed":
            raise NotFound("No such agent")
        if consent is None or consent.consent_hash != version.consent_hash:
            raise _consent_required(head, version, again=consent is not None)


def sealed_place(agent_id: str, version: int) -> str:
    """Where sealed instructions belong: authenticated with them."""
    return f"offered {agent_id} {version}"


def _wanted(head: Head, number: int | None, consent: Consent | None, *, own: bool) -> int | None:
    if number is not None:
        return number
    if consent is not None and consent.pinned is not None:
        return consent.pinned
    return head.newest if own and head.live is None else head.live


def _consent_required(head: Head, version: Version, *, again: bool) -> Forbidden:
    spec = version.spec
    words = (
        "What this agent may do has changed: agree to it again"
        if again
        else "Agree to this agent before its first run"
    )
    return Forbidden(
        words,
        code="consent_required",
        extra={
            "agent": head.path,
            "version": version.version,
            "hosts": spec.hosts,
            "tools": [f"{t.server}/{t.tool}" for t in spec.tools],
            "scopes": spec.scopes,
            "cap": dollars(spec.limits.cap_default_nano),
        },
    )
