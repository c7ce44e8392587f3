"""A user's own agents and favourites on a real database: every change is a version, nobody else's, bounded in number."""

import asyncio
import base64
import os
from pathlib import Path

import pytest
import sqlalchemy as sa

from agent_marketplace.conversations import Agents
from agent_marketplace.db.tables.conversations import agent_versions
from agent_marketplace.errors import BadRequest, NotFound
from agent_marketplace.vault import Keyring, Vault
from tests.fakes.home import Home, at_home

pytestmark = pytest.mark.both_databases


def test_every_change_of_an_agent_is_a_version_and_agents_are_their_owner_s_only(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        made = await home.agents.create(
            "u1", name=" Reviewer ", model="gpt4", instructions="Be strict", parameters={"temperature": 0}
        )
        home.clock.advance(1)
        changed = await home.agents.update("u1", made.agent_id, model="auto", instructions="Be kind")
        assert (changed.version, changed.name, changed.model, changed.parameters) == (
            2,
            "Reviewer",
            "auto",
            {"temperature": 0},
        )
        assert await home.agents.get("u1", made.agent_id) == changed
        first = await home.agents.get("u1", made.agent_id, version=1)
        assert (first.instructions, first.model) == ("Be strict", "gpt4")
        assert [a.version for a in await home.agents.versions("u1", made.agent_id)] == [2, 1]
        assert await home.agents.list("u1") == [changed]
        assert await home.agents.list("u2") == []
        for attempt in (
            home.agents.get("u2", made.agent_id),
            home.agents.update("u2", made.agent_id, name="x"),
            home.agents.delete("u2", made.agent_id),
            home.agents.versions("u2", made.agent_id),
            home.agents.get("u1", made.agent_id, version=9),
            home.agents.get("u1", "agt_x"),
        ):
            with pytest.raises(NotFound):
                await attempt
        await home.agents.delete("u1", made.agent_id)
        with pytest.raises(NotFound):
            await home.agents.get("u1", made.agent_id)

    at_home(tmp_path, test)


def test_parallel_changes_of_an_agent_lose_none(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        made = await home.agents.create("u1", name="a", model="auto")
        await asyncio.gather(*(home.agents.update("u1", made.agent_id, name=f"n{i}") for i in range(10)))
        versions = await home.agents.versions("u1", made.agent_id)
        assert [a.version for a in versions] == list(range(11, 0, -1))
        assert len({a.name for a in versions}) == 11

    at_home(tmp_path, test)


def test_impossible_agents_are_refused_and_a_refused_change_makes_no_version(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        made = await home.agents.create("u1", name="a", model="auto")
        for bad in (
            {"name": ""},
            {"name": "x" * 101},
            {"name": "a\nb"},
            {"model": "no-such-model"},
            {"instructions": "x" * 100_001},
            {"parameters": {"Bad Name": 1}},
            {"parameters": {"stop": ["x" * 30_000]}},
        ):
            with pytest.raises(BadRequest):
                await home.agents.create("u1", **({"name": "a", "model": "auto"} | bad))
            with pytest.raises(BadRequest):
                await home.agents.update("u1", made.agent_id, **bad)
        assert [a.version for a in await home.agents.versions("u1", made.agent_id)] == [1]

    at_home(tmp_path, test)


def test_parameters_that_an_earlier_version_kept_in_the_open_are_read_and_sealed_once(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        agents, plain = home.agents, '{"stop":["canary stop"]}'
        old = [await agents.create(user, name="a", model="auto") for user in ("u1", "u1", "u2")]
        new = await agents.create("u1", name="new", model="auto", parameters={"stop": ["canary new"]})
        of_old = agent_versions.c.agent_id.in_([agent.agent_id for agent in old])
        await home.db.write(
            lambda c: c.execute(sa.update(agent_versions).where(of_old).values(parameters=plain))
        )
        assert b"canary stop" in home.stored()
        assert (await agents.get("u1", old[0].agent_id)).parameters == {"stop": ["canary stop"]}
        assert (await agents.seal_parameters(), await agents.seal_parameters()) == (3, 0)
        kept = await home.db.read(lambda c: list(c.scalars(sa.select(agent_versions.c.parameters))))
        assert len(kept) == 4
        assert "canary" not in "".join(kept)
        for user, agent in zip(("u1", "u1", "u2"), old, strict=True):
            assert (await agents.get(user, agent.agent_id)).parameters == {"stop": ["canary stop"]}
        assert (await agents.get("u1", new.agent_id)).parameters == {"stop": ["canary new"]}

    at_home(tmp_path, test)


def test_parameters_under_a_lost_key_or_damaged_are_none_and_the_agent_can_be_changed(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        made = await home.agents.create("u1", name="a", model="auto", parameters={"temperature": 1})
        lost = Keyring([base64.urlsafe_b64encode(os.urandom(32)).decode()])
        later = Agents(home.db, Vault(home.db, lost, home.clock), home.clock, lambda _: True)
        assert (await later.get("u1", made.agent_id)).parameters == {}
        changed = await later.update("u1", made.agent_id, parameters={"temperature": 0})
        assert (await later.get("u1", made.agent_id)).parameters == changed.parameters == {"temperature": 0}
        await home.db.write(lambda c: c.execute(sa.update(agent_versions).values(parameters="x")))
        assert (await home.agents.get("u1", made.agent_id)).parameters == {}

    at_home(tmp_path, test)


def test_favourites_are_kept_once_each_by_user(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        for model in ("gpt4", "gpt4", "llama2-7b"):
            await home.favourites.add("u1", model)
            home.clock.advance(1)
        assert await home.favourites.list("u1") == ["llama2-7b", "gpt4"]
        assert await home.favourites.list("u2") == []
        assert await home.favourites.remove("u1", "gpt4")
        assert not await home.favourites.remove("u1", "gpt4")

    at_home(tmp_path, test)
