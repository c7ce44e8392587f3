"""Authors: handles, agents, versions; what is offered at once and what waits for a person."""

from typing import Any

import msgspec
import sqlalchemy as sa

from agent_marketplace.clock import Clock
from agent_marketplace.db.engine import Database
from agent_marketplace.errors import BadRequest, Conflict, Forbidden, NotFound
from agent_marketplace.ids import new_id
from agent_marketplace.listings import checks, names, prices, store
from agent_marketplace.listings.resolving import Resolver, sealed_place
from agent_marketplace.listings.spec import FREE, Spec, Visibility, check
from agent_marketplace.listings.types import Head, Publisher, Version
from agent_marketplace.vault import TextCipher, Vault

MAX_AGENTS = 200
MAX_VERSIONS = 1_000


class Publishing:
    """What authors do with agents of theirs. Every method is one transaction."""

    def __init__(self, db: Database, vault: Vault, clock: Clock, resolver: Resolver) -> None:
        self._db = db
        self._vault = vault
        self._clock = clock
        self._resolver = resolver

    async def publisher(self, user_id: str) -> Publisher | None:
        """Who this user is to others; None before they took a handle."""
        return await self._db.read(lambda c: store.publisher(c, user_id))

    async def take_handle(self, user_id: str, handle: str, *, shipped: bool = False) -> Publisher:
        """Takes a handle, once and for good. shipped: the one of the product's own agents. Raises BadRequest, Conflict."""
        names.slug(handle, "A handle")
        if names.reserved(handle) and not shipped:
            raise BadRequest("This handle is reserved")
        now = self._clock.now_ms()

        def work(connection: sa.Connection) -> Publisher:
            store.add_publisher(connection, user_id, handle, names.skeleton(handle), now)
            found = store.publisher(connection, user_id)
            if found is None:
                raise Conflict("This handle, or one that it can be taken for, is somebody else's")
            if found.handle != handle:
                raise Conflict(f"You are {found.handle}: a handle stays")
            return found

        return await self._db.write(work)

    async def create(
        self, user_id: str, slug: str, spec: Spec, *, fork: tuple[str, int] | None = None
    ) -> tuple[Head, Version]:
        """A new agent with its first version, a draft. fork: (agent id, version) it was made from.

        Raises BadRequest, Conflict (slug taken, no handle yet).
        """
        names.slug(slug, "A slug")
        check(spec)
        cipher, now, agent_id = await self._vault.texts(user_id), self._clock.now_ms(), new_id("agt")
        values: dict[str, Any] = {
            "agent_id": agent_id, "user_id": user_id, "slug": slug, "visibility": "private", "live": None, "newest": 1,
            "fork_agent_id": fork and fork[0], "fork_version": fork and fork[1], "created_at": now, "updated_at": now,
        }  # fmt: skip
        version = draft_of(agent_id, 1, user_id, spec, now)

        def work(connection: sa.Connection) -> Head:
            if store.publisher(connection, user_id) is None:
                raise Conflict("Take a publisher's handle first", code="handle_needed")
            if len(store.heads_of(connection, user_id)) >= MAX_AGENTS:
                raise BadRequest(f"At most {MAX_AGENTS} agents")
            if not store.add_head(connection, values):
                raise Conflict("You have an agent with this slug")
            keep(connection, cipher, version)
            return _own(connection, user_id, agent_id)

        return await self._db.write(work), version

    async def add_version(self, user_id: str, agent_id: str, spec: Spec) -> Version:
        """The next version, a draft. Raises NotFound, BadRequest."""
        check(spec)
        cipher, now = await self._vault.texts(user_id), self._clock.now_ms()

        def work(connection: sa.Connection) -> Version:
            number = store.next_version(connection, user_id, agent_id, now)
            if number is None:
                raise NotFound("No such agent")
            if number > MAX_VERSIONS:
                raise BadRequest(f"At most {MAX_VERSIONS} versions")
            version = draft_of(agent_id, number, user_id, spec, now)
            keep(connection, cipher, version)
            return version

        return await self._db.write(work)

    async def fork(self, user_id: str, publisher: str, slug: str, new_slug: str) -> tuple[Head, Version]:
        """A copy of a live version as an own draft, with attribution. Raises NotFound, Forbidden (its licence), as `create`."""

        def work(connection: sa.Connection) -> tuple[Version, bytes]:
            head = store.head_at(connection, publisher, slug)
            if (
                head is None
                or head.live is None
                or (head.visibility == "private" and head.user_id != user_id)
            ):
                raise NotFound("No such agent")
            found = store.version(connection, head.agent_id, head.live)
            if found is None or found[0].state != "listed":
                raise NotFound("No such agent")
            if found[0].spec.licence == "proprietary" and head.user_id != user_id:
                raise Forbidden("Its licence does not allow copies", code="licence")
            return found

        version, sealed = await self._db.read(work)
        spec = await self._resolver.opened(version, sealed)
        return await self.create(
            user_id,
            new_slug,
            msgspec.structs.replace(spec, price=FREE),
            fork=(version.agent_id, version.version),
        )

    async def submit(self, user_id: str, agent_id: str, number: int, visibility: Visibility) -> Version:
        """Offers a version to oneself, to who has the link, or to everybody; listed now, or submitted for a person to look at.

        Raises NotFound, BadRequest (secrets in its texts, a second rise of the price in 30 days), Conflict (its state).
        """
        now = self._clock.now_ms()
        before, sealed = await self._db.read(lambda c: _own_version(c, user_id, agent_id, number))
        spec = await self._resolver.opened(before, sealed)
        if visibility != "private" and (secrets := checks.secrets_in(spec)):
            raise BadRequest(f"Take the secrets out first: {'; '.join(secrets)}", code="secret_found")
        marks = checks.sketch(spec)

        def work(connection: sa.Connection) -> Version:
            store.one_at_a_time(connection)
            head, (version, _) = (
                _own(connection, user_id, agent_id),
                _own_version(connection, user_id, agent_id, number),
            )
            if version.state not in ("draft", "rejected", "listed"):
                raise Conflict(f"This version is {version.state}")
            findings = _look_alikes(connection, version, marks) if visibility == "listed" else []
            asked = msgspec.structs.replace(version, asked=visibility, findings=findings)
            store.keep_sketch(connection, agent_id, number, marks)
            if visibility == "listed" and not version.reviewed:
                base = store.reviewed(connection, agent_id)
                if findings or base is None or not spec.powers <= base.spec.powers:
                    _priced(connection, head, asked, now)  # what can't be listed need not wait for it
                    waiting = msgspec.structs.replace(asked, state="submitted", decided_at=now)
                    store.decide(connection, waiting)
                    return waiting
                asked = msgspec.structs.replace(asked, reviewed=True)
            return offer_in(connection, head, asked, now)

        return await self._db.write(work)

    async def withdraw(self, user_id: str, agent_id: str, number: int) -> Version:
        """Takes a version back: new runs are refused, but for 90 days not to who pinned it. Raises NotFound, Conflict."""
        now = self._clock.now_ms()

        def work(connection: sa.Connection) -> Version:
            store.one_at_a_time(connection)
            head, (version, _) = (
                _own(connection, user_id, agent_id),
                _own_version(connection, user_id, agent_id, number),
            )
            if version.state not in ("draft", "submitted", "listed"):
                raise Conflict(f"This version is {version.state}")
            gone = msgspec.structs.replace(version, state="withdrawn", decided_at=now)
            store.decide(connection, gone)
            if head.live == number:
                store.change_head(connection, agent_id, {"live": None, "updated_at": now})
            return gone

        return await self._db.write(work)

    async def mine(self, user_id: str) -> list[tuple[Head, list[Version]]]:
        """An author's agents with all versions, newest first, without instructions."""
        return await self._db.read(
            lambda c: [(head, store.versions(c, head.agent_id)) for head in store.heads_of(c, user_id)]
        )

    async def own(self, user_id: str, agent_id: str) -> tuple[Head, list[Version]]:
        """One agent of the author's with all versions, newest first, instructions and all. Raises NotFound."""
        head = await self._db.read(lambda c: _own(c, user_id, agent_id))
        found = await self._db.read(lambda c: store.sealed_versions(c, agent_id))
        return head, [
            msgspec.structs.replace(version, spec=await self._resolver.opened(version, sealed))
            for version, sealed in found
        ]


def offer_in(connection: sa.Connection, head: Head, version: Version, now: int) -> Version:
    """Makes a version the live one, at a price that begins by the rules. Raises BadRequest (a second rise in 30 days)."""
    listed = msgspec.structs.replace(_priced(connection, head, version, now), state="listed", decided_at=now)
    store.decide(connection, listed)
    changed = {
        "live": listed.version,
        "last_live": listed.version,
        "visibility": listed.asked,
        "updated_at": now,
    }
    store.change_head(connection, head.agent_id, changed)
    return listed


def _priced(connection: sa.Connection, head: Head, version: Version, now: int) -> Version:
    """The version with the begin of its price. What was taken back meanwhile still is what it is compared with."""
    last = None if head.last_live is None else store.version(connection, head.agent_id, head.last_live)
    if last is not None and last[0].version == version.version:
        return version
    return prices.begin(version, last and last[0], store.last_rise(connection, head.agent_id), now)


def _look_alikes(connection: sa.Connection, version: Version, marks: list[int]) -> list[str]:
    found = []
    if names.reserved(version.spec.name):
        found.append("its name is, or looks like, a reserved one")
    alike = store.named_like(connection, names.skeleton(version.spec.name), version.user_id)
    found += [f"its name can be taken for {other.path}" for other in alike]
    for path, theirs in store.sketches(connection, version.user_id):
        if (per_cent := checks.shared(marks, theirs)) >= checks.NEAR:
            found.append(f"{per_cent} % of its text is in {path}")
    return found


def draft_of(agent_id: str, number: int, user_id: str, spec: Spec, now: int) -> Version:
    """A version that was just made."""
    return Version(
        agent_id=agent_id, version=number, user_id=user_id, spec=spec, content_hash=spec.content_hash,
        consent_hash=spec.consent_hash, created_at=now, state="draft", asked="private", reviewed=False, findings=[],
        decided_at=None, price_from=now, price_before=spec.price, price_raised=False,
    )  # fmt: skip


def keep(connection: sa.Connection, cipher: TextCipher, version: Version) -> None:
    """Writes a version, its instructions sealed."""
    sealed = cipher.seal(sealed_place(version.agent_id, version.version), version.spec.instructions)
    store.add_version(connection, version, names.skeleton(version.spec.name), sealed)


def _own(connection: sa.Connection, user_id: str, agent_id: str) -> Head:
    head = store.head(connection, agent_id)
    if head is None or head.user_id != user_id:
        raise NotFound("No such agent")
    return head


def _own_version(
    connection: sa.Connection, user_id: str, agent_id: str, number: int
) -> tuple[Version, bytes]:
    _own(connection, user_id, agent_id)
    found = store.version(connection, agent_id, number)
    if found is None:
        raise NotFound("No such version")
    return found
