"""What a run pins: one immutable version, checked against its hash, and only for who may run it."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from agent_marketplace.db.tables.listings import offered_versions
from agent_marketplace.errors import BadRequest, Forbidden, NotFound, Unavailable
from agent_marketplace.listings import FREE, AgentPrice, Consent, Limits, Resolver, Spec, Tool, Version, store
from agent_marketplace.listings.resolving import sealed_place
from agent_marketplace.listings.spec import read
from tests.fakes.home import Home, at_home

pytestmark = pytest.mark.both_databases
SPEC = Spec(name="Reviewer", model="gpt4", instructions="Be strict", hosts=["api.example.com"])


async def offered(home: Home, spec: Spec = SPEC, *, version: int = 1, state: str = "listed") -> Version:
    """One version of `ada/reviewer` as the tables hold it."""
    cipher = await home.vault.texts("author")
    made = Version(
        agent_id="agt_1", version=version, user_id="author", spec=spec, content_hash=spec.content_hash,
        consent_hash=spec.consent_hash, created_at=0, state=state, asked="listed", reviewed=True, findings=[],
        decided_at=home.clock.now_ms(), price_from=0, price_before=FREE, price_raised=False,
    )  # fmt: skip
    head = {"agent_id": "agt_1", "user_id": "author", "slug": "reviewer", "visibility": "listed", "live": version,
            "newest": version, "created_at": 0, "updated_at": 0}  # fmt: skip

    def work(connection: sa.Connection) -> None:
        store.add_publisher(connection, "author", "ada", "ada", 0)
        if not store.add_head(connection, head):
            store.change_head(connection, "agt_1", {"live": version, "newest": version})
        place = sealed_place("agt_1", version)
        store.add_version(connection, made, "reviewer", cipher.seal(place, spec.instructions))

    await home.db.write(work)
    return made


async def agree(home: Home, version: Version, pinned: int | None = None) -> None:
    given = Consent(user_id="u", agent_id="agt_1", consent_hash=version.consent_hash, version=version.version,
                    pinned=pinned, at=0)  # fmt: skip
    await home.db.write(lambda c: store.put_consent(c, given))


def resolving(path: Path, test: Callable[[Home, Resolver], Awaitable[None]]) -> None:
    async def go(home: Home) -> None:
        await test(home, Resolver(home.db, home.vault, home.clock))

    at_home(path, go)


def test_nobody_runs_an_agent_before_agreeing_to_who_sees_their_data_and_again_when_that_changes(
    tmp_path: Path,
) -> None:
    async def test(home: Home, resolver: Resolver) -> None:
        first = await offered(home)
        with pytest.raises(Forbidden) as asked:
            await resolver.resolve("agent/ada/reviewer", "u")
        assert asked.value.code == "consent_required"
        assert asked.value.extra["hosts"] == ["api.example.com"]
        await agree(home, first)
        found = await resolver.resolve("agent/ada/reviewer", "u")
        assert (found.name, found.spec.instructions, found.own) == (
            "agent/ada/reviewer@1",
            "Be strict",
            False,
        )
        assert found.content_hash == SPEC.content_hash
        text = msgspec.structs.replace(SPEC, instructions="Be kind")
        await offered(home, text, version=2)  # the same hosts: nothing to ask
        assert (await resolver.resolve("agent/ada/reviewer", "u")).version == 2
        await offered(home, msgspec.structs.replace(SPEC, hosts=["evil.example.com"]), version=3)
        with pytest.raises(Forbidden) as again:
            await resolver.resolve("agent/ada/reviewer", "u")
        assert again.value.extra["hosts"] == ["evil.example.com"]
        await agree(home, first, pinned=1)
        assert (await resolver.resolve("agent/ada/reviewer", "u")).version == 1
        assert (await resolver.resolve("agent/ada/reviewer@2", "u")).version == 2
        assert (await resolver.resolve("agent/ada/reviewer", "author")).own

    resolving(tmp_path, test)


def test_a_later_version_spends_no_more_than_was_agreed_to_where_its_user_names_no_cap(
    tmp_path: Path,
) -> None:
    """Texts and prices are listed at once: the usual cap, which is what a careless user pays, is agreed to again."""

    async def test(home: Home, resolver: Resolver) -> None:
        await agree(home, await offered(home))
        bomb = msgspec.structs.replace(SPEC, model="gpt9-max", limits=Limits(cap_default_nano=10**10))
        await offered(home, bomb, version=2)
        with pytest.raises(Forbidden) as asked:
            await resolver.resolve("agent/ada/reviewer", "u")
        assert (asked.value.code, asked.value.extra["cap"]) == ("consent_required", 10)
        modest = msgspec.structs.replace(SPEC, limits=Limits(cap_default_nano=100_000_000))
        await offered(home, modest, version=3)
        assert (await resolver.resolve("agent/ada/reviewer", "u")).version == 3

    resolving(tmp_path, test)


def test_suspended_versions_run_for_nobody_and_withdrawn_ones_only_for_pins_and_90_days(
    tmp_path: Path,
) -> None:
    async def test(home: Home, resolver: Resolver) -> None:
        version = await offered(home, state="withdrawn")
        await agree(home, version)
        with pytest.raises(Forbidden, match="withdrawn"):
            await resolver.resolve("agent/ada/reviewer", "u")
        await agree(home, version, pinned=1)
        await resolver.resolve("agent/ada/reviewer", "u")
        home.clock.advance(90 * 86_400 + 1)
        with pytest.raises(Forbidden, match="withdrawn"):
            await resolver.resolve("agent/ada/reviewer", "u")
        assert not await resolver.stopped("agt_1", 1)
        dead = msgspec.structs.replace(version, state="suspended")
        await home.db.write(lambda c: store.decide(c, dead))
        for user in ("u", "author"):
            with pytest.raises(Forbidden, match="suspended"):
                await resolver.resolve("agent/ada/reviewer", user)
        assert await resolver.stopped("agt_1", 1)

    resolving(tmp_path, test)


def test_a_version_that_was_changed_behind_its_hash_is_not_run(tmp_path: Path) -> None:
    async def test(home: Home, resolver: Resolver) -> None:
        await agree(home, await offered(home))
        other = msgspec.json.encode(msgspec.structs.replace(SPEC, instructions="", model="dear")).decode()
        await home.db.write(lambda c: c.execute(sa.update(offered_versions).values(spec=other)))
        with pytest.raises(Unavailable, match="not what was published"):
            await resolver.resolve("agent/ada/reviewer", "u")

    resolving(tmp_path, test)


def test_drafts_and_private_agents_are_their_authors_and_bad_names_are_refused(tmp_path: Path) -> None:
    async def test(home: Home, resolver: Resolver) -> None:
        await offered(home, state="draft")
        await home.db.write(lambda c: store.change_head(c, "agt_1", {"live": None, "visibility": "private"}))
        assert (await resolver.resolve("agent/ada/reviewer", "author")).version == 1
        for name in ("agent/ada/reviewer", "agent/ada/reviewer@1", "agent/ada/none", "agent/ada/reviewer@9"):
            with pytest.raises(NotFound):
                await resolver.resolve(name, "u")
        for name in ("agent/ada", "agent/../x", "agent/ada/reviewer@0", "agent/ada/reviewer@01"):
            with pytest.raises(BadRequest):
                await resolver.resolve(name, "author")

    resolving(tmp_path, test)


def test_every_part_of_a_version_that_matters_is_in_its_hash() -> None:
    others = {
        "instructions": "x", "model": "x", "price": AgentPrice(fee_run_nano=1, max_fee_nano=1), "hosts": [], "scopes": ["a"],
        "tools": [Tool(server="builtin", tool="fetch")], "licence": "MIT", "parameters": {"temperature": 1},
    }  # fmt: skip
    hashes = {msgspec.structs.replace(SPEC, **{name: value}).content_hash for name, value in others.items()}
    assert len(hashes | {SPEC.content_hash}) == len(others) + 1


def test_a_fee_is_never_above_its_maximum_and_a_version_says_it() -> None:
    price = AgentPrice(fee_run_nano=10, fee_step_nano=5, model_cost_bp=1_500, max_fee_nano=40)
    assert [price.fee(0, 0), price.fee(2, 99), price.fee(100, 10**12)] == [10, 34, 40]
    good = {"name": "a", "model": "m"}
    for bad in ({"price": {"fee_run_nano": 2, "max_fee_nano": 1}}, {"price": {"fee_step_nano": 1}}, {"hosts": ["http://x"]},
                {"limits": {"steps": 0}}, {"tools": [{"server": "s", "tool": "t"}]}, {"licence": "?"}, {"odd": 1},
                {"name": " a"}, {"category": "x"}):  # fmt: skip
        with pytest.raises(BadRequest):
            read(good | bad)
    assert read(good).name == "a"
