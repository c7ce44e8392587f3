"""The SQL of offered agents."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from agent_marketplace.db.tables.listings import (
    agent_consents,
    offered_agents,
    offered_sketches,
    offered_versions,
    publishers,
)
from agent_marketplace.db.tables.payments import orders
from agent_marketplace.listings.spec import AgentPrice, Spec
from agent_marketplace.listings.types import Consent, Head, Publisher, Version

Stamp = tuple[int | None, ...]
_LOCK = (
    7_202_611_220_004  # PostgreSQL: one agent is listed at a time, so that look-alikes can't pass each other
)
_HEAD = sa.select(offered_agents, publishers.c.handle.label("publisher")).join(
    publishers, publishers.c.user_id == offered_agents.c.user_id
)
_VERSION = tuple(name for name in Version.__struct_fields__ if name != "spec")


def one_at_a_time(connection: sa.Connection) -> None:
    """Waits for other transactions that change what is offered."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def publisher(connection: sa.Connection, user_id: str) -> Publisher | None:
    row = connection.execute(sa.select(publishers).where(publishers.c.user_id == user_id)).one_or_none()
    return None if row is None else _publisher(row)


def add_publisher(connection: sa.Connection, user_id: str, handle: str, skeleton: str, now: int) -> bool:
    """False: the handle, or one that it can be taken for, is somebody else's."""
    values = {"user_id": user_id, "handle": handle, "skeleton": skeleton, "created_at": now}
    statement = _insert(connection, publishers).values(values).on_conflict_do_nothing()
    return connection.execute(statement.returning(publishers.c.user_id)).one_or_none() is not None


def head(connection: sa.Connection, agent_id: str) -> Head | None:
    row = connection.execute(_HEAD.where(offered_agents.c.agent_id == agent_id)).one_or_none()
    return None if row is None else _head(row)


def head_at(connection: sa.Connection, handle: str, slug: str) -> Head | None:
    """By `publisher/slug`."""
    found = _HEAD.where(publishers.c.handle == handle, offered_agents.c.slug == slug)
    row = connection.execute(found).one_or_none()
    return None if row is None else _head(row)


def heads_of(connection: sa.Connection, user_id: str) -> list[Head]:
    """An author's agents, the last changed first."""
    found = _HEAD.where(offered_agents.c.user_id == user_id).order_by(
        offered_agents.c.updated_at.desc(), offered_agents.c.agent_id
    )
    return [_head(row) for row in connection.execute(found)]


def listed_heads(connection: sa.Connection) -> list[Head]:
    """Every agent that may be found by search."""
    found = _HEAD.where(offered_agents.c.visibility == "listed", offered_agents.c.live.is_not(None))
    return [_head(row) for row in connection.execute(found.order_by(offered_agents.c.agent_id))]


def every_head(connection: sa.Connection, words: str, after: str | None, limit: int) -> list[Head]:
    """Agents in any state whose id, name in the address or publisher fits, by id. after: only ids behind this one."""
    t = offered_agents.c
    part = publishers.c.handle + "/" + t.slug
    found = _HEAD.where(part.contains(words.lower(), autoescape=True) | (t.agent_id == words))
    if after is not None:
        found = found.where(t.agent_id > after)
    return [_head(row) for row in connection.execute(found.order_by(t.agent_id).limit(limit))]


def publishers_of(connection: sa.Connection, limit: int) -> list[Publisher]:
    """Who publishes, by handle."""
    rows = connection.execute(sa.select(publishers).order_by(publishers.c.handle).limit(limit))
    return [_publisher(row) for row in rows]


def stamp(connection: sa.Connection) -> Stamp:
    """Differs where what may be found by search differs."""
    t = offered_agents.c
    query = sa.select(sa.func.count(), sa.func.max(t.updated_at), sa.func.sum(t.live))
    return tuple(connection.execute(query.where(t.visibility == "listed", t.live.is_not(None))).one())


def add_head(connection: sa.Connection, values: Mapping[str, Any]) -> bool:
    """False: the author has an agent of this slug."""
    statement = _insert(connection, offered_agents).values(values).on_conflict_do_nothing()
    return connection.execute(statement.returning(offered_agents.c.agent_id)).one_or_none() is not None


def change_head(connection: sa.Connection, agent_id: str, values: Mapping[str, Any]) -> None:
    connection.execute(
        sa.update(offered_agents).where(offered_agents.c.agent_id == agent_id).values(**values)
    )


def next_version(connection: sa.Connection, user_id: str, agent_id: str, now: int) -> int | None:
    """Takes the next number of an author's own agent; None = no such agent of theirs."""
    t = offered_agents
    row = connection.execute(
        sa.update(t)
        .where(t.c.agent_id == agent_id, t.c.user_id == user_id)
        .values(newest=t.c.newest + 1, updated_at=now)
        .returning(t.c.newest)
    ).one_or_none()
    return None if row is None else int(row.newest)


def add_version(connection: sa.Connection, version: Version, skeleton: str, sealed: bytes) -> None:
    """Writes an immutable row; its instructions come sealed."""
    spec = msgspec.structs.replace(version.spec, instructions="")
    connection.execute(
        sa.insert(offered_versions).values(
            **{name: getattr(version, name) for name in _VERSION}
            | {
                "name": spec.name,
                "skeleton": skeleton[:200],
                "category": spec.category,
                "spec": msgspec.json.encode(spec).decode(),
                "instructions_sealed": sealed,
                "reviewed": int(version.reviewed),
                "price_raised": int(version.price_raised),
                "findings": msgspec.json.encode(version.findings).decode(),
                "price_before": msgspec.json.encode(version.price_before).decode(),
            }
        )
    )


def decide(connection: sa.Connection, version: Version) -> None:
    """Writes what was decided about a version: nothing of its content."""
    t = offered_versions
    connection.execute(
        sa.update(t)
        .where(t.c.agent_id == version.agent_id, t.c.version == version.version)
        .values(
            state=version.state,
            asked=version.asked,
            reviewed=int(version.reviewed),
            findings=msgspec.json.encode(version.findings).decode(),
            decided_at=version.decided_at,
            price_from=version.price_from,
            price_before=msgspec.json.encode(version.price_before).decode(),
            price_raised=int(version.price_raised),
        )
    )


def version(connection: sa.Connection, agent_id: str, number: int) -> tuple[Version, bytes] | None:
    """One version and its sealed instructions."""
    t = offered_versions
    row = connection.execute(
        sa.select(t).where(t.c.agent_id == agent_id, t.c.version == number)
    ).one_or_none()
    return None if row is None else (_version(row), row.instructions_sealed)


def versions(connection: sa.Connection, agent_id: str) -> list[Version]:
    """All versions, newest first, without instructions."""
    t = offered_versions
    rows = connection.execute(sa.select(t).where(t.c.agent_id == agent_id).order_by(t.c.version.desc()))
    return [_version(row) for row in rows]


def sealed_versions(connection: sa.Connection, agent_id: str) -> list[tuple[Version, bytes]]:
    """All versions with their sealed instructions, newest first."""
    t = offered_versions
    rows = connection.execute(sa.select(t).where(t.c.agent_id == agent_id).order_by(t.c.version.desc()))
    return [(_version(row), row.instructions_sealed) for row in rows]


def waiting_count(connection: sa.Connection) -> int:
    """How many versions wait for a person."""
    t = offered_versions
    found: int = connection.execute(
        sa.select(sa.func.count()).select_from(t).where(t.c.state == "submitted")
    ).scalar_one()
    return found


def waiting(connection: sa.Connection, limit: int) -> list[tuple[Version, bytes]]:
    """Versions that wait for a person, the first submitted first."""
    t = offered_versions
    query = sa.select(t).where(t.c.state == "submitted").order_by(t.c.decided_at, t.c.agent_id, t.c.version)
    return [(_version(row), row.instructions_sealed) for row in connection.execute(query.limit(limit))]


def reviewed(connection: sa.Connection, agent_id: str) -> Version | None:
    """The newest version whose tools and scopes a person approved; None: there is none, or a version was suspended."""
    t = offered_versions
    rows = connection.execute(sa.select(t).where(t.c.agent_id == agent_id).order_by(t.c.version.desc())).all()
    if any(row.state == "suspended" for row in rows):
        return None
    return next((_version(row) for row in rows if row.reviewed), None)


def last_rise(connection: sa.Connection, agent_id: str) -> int | None:
    """When a rise of its price was last listed, ms."""
    t = offered_versions
    rises = sa.select(sa.func.max(t.c.decided_at)).where(t.c.agent_id == agent_id, t.c.price_raised == 1)
    found: int | None = connection.execute(rises).scalar_one()
    return found


def keep_sketch(connection: sa.Connection, agent_id: str, number: int, sketch: list[int]) -> None:
    """Remembers what a version's text is like."""
    values = {"agent_id": agent_id, "version": number, "sketch": msgspec.json.encode(sketch).decode()}
    connection.execute(_insert(connection, offered_sketches).values(values).on_conflict_do_nothing())


def sketches(connection: sa.Connection, except_user: str) -> list[tuple[str, list[int]]]:
    """(publisher/slug, sketch) of what others have listed."""
    s, a, p = offered_sketches, offered_agents, publishers
    query = (
        sa.select(p.c.handle, a.c.slug, s.c.sketch)
        .join(a, (a.c.agent_id == s.c.agent_id) & (a.c.live == s.c.version))
        .join(p, p.c.user_id == a.c.user_id)
        .where(a.c.visibility == "listed", a.c.user_id != except_user)
        .order_by(p.c.handle, a.c.slug)
    )
    return [
        (f"{row.handle}/{row.slug}", msgspec.json.decode(row.sketch)) for row in connection.execute(query)
    ]


def named_like(connection: sa.Connection, skeleton: str, except_user: str) -> list[Head]:
    """Agents that others have listed under a name that this one can be taken for."""
    t, a = offered_versions, offered_agents
    query = _HEAD.join(t, (t.c.agent_id == a.c.agent_id) & (t.c.version == a.c.live)).where(
        a.c.visibility == "listed", a.c.user_id != except_user, t.c.skeleton == skeleton[:200]
    )
    return [_head(row) for row in connection.execute(query.order_by(a.c.agent_id))]


def live_versions(connection: sa.Connection, agent_ids: Sequence[str] | None = None) -> list[Version]:
    """The live versions of agents that may be found by search, without instructions."""
    t, a = offered_versions, offered_agents
    query = (
        sa.select(t)
        .join(a, (a.c.agent_id == t.c.agent_id) & (a.c.live == t.c.version))
        .where(a.c.visibility == "listed")
    )
    if agent_ids is not None:
        query = query.where(a.c.agent_id.in_(agent_ids))
    return [_version(row) for row in connection.execute(query)]


def consent(connection: sa.Connection, user_id: str, agent_id: str) -> Consent | None:
    t = agent_consents
    row = connection.execute(
        sa.select(t).where(t.c.user_id == user_id, t.c.agent_id == agent_id)
    ).one_or_none()
    return None if row is None else Consent(**row._mapping)


def consents_of(connection: sa.Connection, user_id: str) -> list[Consent]:
    """What a user has agreed to, the last first."""
    t = agent_consents
    rows = connection.execute(
        sa.select(t).where(t.c.user_id == user_id).order_by(t.c.at.desc(), t.c.agent_id)
    )
    return [Consent(**row._mapping) for row in rows]


def put_consent(connection: sa.Connection, given: Consent) -> None:
    values = msgspec.structs.asdict(given)
    statement = _insert(connection, agent_consents).values(values)
    keys = ("user_id", "agent_id")
    changed = {name: value for name, value in values.items() if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=list(keys), set_=changed))


def kin(connection: sa.Connection, one: str, other: str) -> bool:
    """Whether two accounts are one, or have paid with the same card or codes."""
    if one == other:
        return True
    return connection.execute(sa.select(sa.literal(1)).where(kin_of(one, other))).first() is not None


def kin_of(one: Any, other: Any) -> sa.ColumnElement[bool]:
    """SQL: whether two accounts (values or columns) have an order each that was paid with the same."""
    a, b = orders.alias(), orders.alias()
    paid = (a.c.state == "paid", b.c.state == "paid", a.c.source == b.c.source)
    return sa.exists().where(a.c.user_id == one, b.c.user_id == other, *paid)


def drop_consent(connection: sa.Connection, user_id: str, agent_id: str) -> bool:
    """False if there was none."""
    t = agent_consents
    gone = connection.execute(sa.delete(t).where(t.c.user_id == user_id, t.c.agent_id == agent_id))
    return gone.rowcount == 1


def erase_user(connection: sa.Connection, user_id: str) -> None:
    """Everything of a user: what they agreed to, and what they offered."""
    mine = sa.select(offered_agents.c.agent_id).where(offered_agents.c.user_id == user_id)
    connection.execute(sa.delete(offered_sketches).where(offered_sketches.c.agent_id.in_(mine)))
    for table in (agent_consents, offered_versions, offered_agents, publishers):
        connection.execute(sa.delete(table).where(table.c.user_id == user_id))


def _insert(connection: sa.Connection, table: sa.Table) -> "postgresql.Insert | sqlite.Insert":
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def _publisher(row: sa.Row[Any]) -> Publisher:
    return Publisher(**{name: row._mapping[name] for name in Publisher.__struct_fields__})


def _head(row: sa.Row[Any]) -> Head:
    return Head(**{name: row._mapping[name] for name in Head.__struct_fields__})


def _version(row: sa.Row[Any]) -> Version:
    values = {name: row._mapping[name] for name in _VERSION}
    values["findings"] = msgspec.json.decode(row.findings)
    values["price_before"] = msgspec.json.decode(row.price_before, type=AgentPrice)
    values["reviewed"], values["price_raised"] = bool(row.reviewed), bool(row.price_raised)
    return Version(spec=msgspec.json.decode(row.spec, type=Spec), **values)
