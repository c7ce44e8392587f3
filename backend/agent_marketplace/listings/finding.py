"""Users: finding agents, agreeing to what they may do, pinning a version."""

import re

import msgspec
import sqlalchemy as sa

from agent_marketplace.clock import Clock
from agent_marketplace.db.engine import Database
from agent_marketplace.errors import Conflict, NotFound
from agent_marketplace.listings import store
from agent_marketplace.listings.types import Consent, Head, Version

_LONGER, _ENOUGH, _STEM = 4, 2, 5
Found = tuple[Head, Version]


class Finding:
    """What users do with agents of others."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._listed: tuple[store.Stamp, list[Found]] | None = None

    async def listed(self) -> list[Found]:
        """Every agent that may be found, in no order. Read again when one of them has changed."""

        def work(connection: sa.Connection) -> tuple[store.Stamp, list[Found] | None]:
            stamp = store.stamp(connection)
            if self._listed is not None and self._listed[0] == stamp:
                return stamp, None
            heads = {head.agent_id: head for head in store.listed_heads(connection)}
            return stamp, [
                (heads[v.agent_id], v) for v in store.live_versions(connection) if v.agent_id in heads
            ]

        stamp, found = await self._db.read(work)
        if found is None:
            return self._listed[1] if self._listed is not None else []
        self._listed = (stamp, found)
        return found

    async def search(self, words: str, category: str | None = None) -> list[tuple[int, Found]]:
        """(how well it fits, agent) of listed agents that have every word, the best first; no words: all of them, as 0."""
        wanted = re.findall(r"\w+", words.casefold())[:20]
        scored = [
            (score, found)
            for found in await self.listed()
            if category is None or found[1].spec.category == category
            if (score := _score(wanted, found)) is not None
        ]
        return sorted(scored, key=lambda pair: (-pair[0], pair[1][0].path))

    async def suggest(self, task: str, most: int = 2) -> list[Found]:
        """Listed agents whose name and summary say what a task says: at least two of its longer words, the most first."""
        wanted = {_stem(word) for word in re.findall(r"\w+", task.casefold()[:4_000]) if len(word) >= _LONGER}
        scored = []
        for head, version in await self.listed():
            said = f"{version.spec.name} {version.spec.summary} {version.spec.category}".casefold()
            same = wanted & {_stem(word) for word in re.findall(r"\w+", said) if len(word) >= _LONGER}
            if len(same) >= _ENOUGH:
                scored.append((-len(same), head.path, (head, version)))
        return [found for _, _, found in sorted(scored, key=lambda one: one[:2])[:most]]

    async def page(self, publisher: str, slug: str, user_id: str | None) -> tuple[Head, list[Version]]:
        """An agent with the versions that others may see (author: all), newest first, without instructions. Raises NotFound."""

        def work(connection: sa.Connection) -> tuple[Head, list[Version]]:
            head = store.head_at(connection, publisher, slug)
            own = head is not None and head.user_id == user_id
            if head is None or (not own and (head.visibility == "private" or head.live is None)):
                raise NotFound("No such agent")
            versions = store.versions(connection, head.agent_id)
            return head, [v for v in versions if own or v.state in ("listed", "suspended", "withdrawn")]

        return await self._db.read(work)

    async def agree(
        self, user_id: str, publisher: str, slug: str, version: int, *, pin: bool = False
    ) -> Consent:
        """Agrees to what `version` may do and who sees data, as its card said. pin: stay with it.

        Raises NotFound, Conflict (that version is not offered).
        """
        now = self._clock.now_ms()

        def work(connection: sa.Connection) -> Consent:
            head = store.head_at(connection, publisher, slug)
            if head is None or (head.visibility == "private" and head.user_id != user_id):
                raise NotFound("No such agent")
            found = store.version(connection, head.agent_id, version)
            if found is None:
                raise NotFound("No such version")
            if found[0].state != "listed" or (not pin and version != head.live):
                raise Conflict("Another version is offered now: read its card", extra={"version": head.live})
            given = Consent(
                user_id=user_id, agent_id=head.agent_id, consent_hash=found[0].consent_hash, version=version,
                pinned=version if pin else None, at=now,
            )  # fmt: skip
            store.put_consent(connection, given)
            return given

        return await self._db.write(work)

    async def revoke(self, user_id: str, publisher: str, slug: str) -> None:
        """Takes an agreement back: the agent is asked about again before its next run. Raises NotFound."""

        def work(connection: sa.Connection) -> bool:
            head = store.head_at(connection, publisher, slug)
            return head is not None and store.drop_consent(connection, user_id, head.agent_id)

        if not await self._db.write(work):
            raise NotFound("You have not agreed to this agent")

    async def origin(self, head: Head) -> str | None:
        """`publisher/slug@n` of what an agent was made from; None: from nothing, or that is gone."""
        if head.fork_agent_id is None:
            return None
        found = await self._db.read(lambda c: store.head(c, head.fork_agent_id or ""))
        return None if found is None else f"{found.path}@{head.fork_version}"

    async def consent(self, user_id: str, agent_id: str) -> Consent | None:
        """What this user has agreed to."""
        return await self._db.read(lambda c: store.consent(c, user_id, agent_id))

    async def installed(self, user_id: str) -> list[tuple[Head, Version, Consent]]:
        """Agents that the user agreed to, with the version that would run, the last first; those that are gone are left out."""

        def work(connection: sa.Connection) -> list[tuple[Head, Version, Consent]]:
            found = []
            for given in store.consents_of(connection, user_id):
                head = store.head(connection, given.agent_id)
                number = None if head is None else given.pinned or head.live
                version = None if number is None else store.version(connection, given.agent_id, number)
                if head is not None and version is not None and version[0].state in ("listed", "withdrawn"):
                    found.append((head, version[0], given))
            return found

        return await self._db.read(work)


def _score(words: list[str], found: Found) -> int | None:
    """How well an agent fits; None: a word is nowhere in it."""
    head, version = found
    spec, total = version.spec, 0
    places = ((spec.name, 8), (head.path, 6), (spec.category, 4), (spec.summary, 3), (spec.description, 1))
    folded = [(text.casefold(), worth) for text, worth in places]
    for word in words:
        best = max((worth for text, worth in folded if word in text), default=0)
        if not best:
            return None
        total += best
    return total


def _stem(word: str) -> str:
    """What `review`, `reviews` and `reviewer` have in common."""
    return word[:_STEM]


def diff(old: Version, new: Version) -> dict[str, tuple[object, object]]:
    """{field: (before, after)} of what differs between two versions."""
    a, b = msgspec.to_builtins(old.spec), msgspec.to_builtins(new.spec)
    return {name: (a[name], b[name]) for name in a if a[name] != b[name]}
