"""The agents that come with the product: data, published by the operator's handle, a new version where an entry has changed."""

import tomllib
from importlib import resources
from typing import Any

import msgspec
import sqlalchemy as sa

from agent_marketplace.clock import Clock
from agent_marketplace.db.engine import Database
from agent_marketplace.ids import new_id
from agent_marketplace.listings import checks, names, store
from agent_marketplace.listings.publishing import draft_of, keep, offer_in
from agent_marketplace.listings.spec import Example, Limits, Spec, Tool, check
from agent_marketplace.vault import Vault

SHIPPER = "operator"  # stands for a user id: nobody signs in as it, and it earns nothing


def shipped() -> dict[str, Spec]:
    """{slug: version} of what comes with this version of the product."""
    text = resources.files("agent_marketplace.listings").joinpath("data/shipped.toml").read_text("utf-8")
    return {entry.pop("slug"): _spec(entry) for entry in tomllib.loads(text)["agent"]}


def _spec(entry: dict[str, Any]) -> Spec:
    tools = [
        Tool(server="builtin", tool=name, policy="allow", idempotent=True) for name in entry.pop("tools", [])
    ]
    examples = [Example(**example) for example in entry.pop("example", [])]
    limits = msgspec.convert(entry.pop("limits", {}), Limits)
    entry["instructions"] = entry["instructions"].strip()
    spec = Spec(**entry, tools=tools, examples=examples, limits=limits)
    check(spec)
    return spec


async def ship(db: Database, vault: Vault, clock: Clock) -> int:
    """Publishes what is new or changed; what an administrator suspended stays so. Returns how many versions were made."""
    wanted, cipher, now = shipped(), await vault.texts(SHIPPER), clock.now_ms()

    def work(connection: sa.Connection) -> int:
        store.one_at_a_time(connection)
        store.add_publisher(connection, SHIPPER, names.OPERATOR, names.skeleton(names.OPERATOR), now)
        made = 0
        for slug, spec in wanted.items():
            head = store.head_at(connection, names.OPERATOR, slug)
            if head is None:
                agent_id, number = new_id("agt"), 1
                values = {"agent_id": agent_id, "user_id": SHIPPER, "slug": slug, "visibility": "listed", "newest": 1,
                          "created_at": now, "updated_at": now}  # fmt: skip
                store.add_head(connection, values)
            else:
                agent_id = head.agent_id
                newest = store.version(connection, agent_id, head.newest)
                if newest is not None and newest[0].content_hash == spec.content_hash:
                    continue
                number = store.next_version(connection, SHIPPER, agent_id, now) or head.newest + 1
            keep(connection, cipher, draft_of(agent_id, number, SHIPPER, spec, now))
            store.keep_sketch(connection, agent_id, number, checks.sketch(spec))
            found = store.head(connection, agent_id)
            assert found is not None  # it has just been written
            version = msgspec.structs.replace(
                draft_of(agent_id, number, SHIPPER, spec, now), asked="listed", reviewed=True
            )
            offer_in(connection, found, version, now)
            made += 1
        return made

    return await db.write(work)
