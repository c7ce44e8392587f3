"""What comes with the product is published once, again only where it has changed, and never over an administrator's head."""

from pathlib import Path

import msgspec
import pytest

from agent_marketplace.admin import Actor, Admin, AgentDesk
from agent_marketplace.listings import Listings, checks, shipping
from tests.fakes.home import Home, at_home

pytestmark = pytest.mark.both_databases


def test_shipped_agents_are_listed_once_follow_their_data_and_stay_suspended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(home: Home) -> None:
        listings = Listings.on(home.db, home.vault, home.ledger, home.clock)
        assert [await shipping.ship(home.db, home.vault, home.clock) for _ in range(2)] == [6, 0]
        found = {head.slug: head for head, _ in await listings.finding.listed()}
        assert set(found) == set(shipping.shipped())
        await listings.finding.agree("u", "operator", "model-scout", 1)
        pinned = await listings.resolver.resolve("agent/operator/model-scout", "u")
        assert (pinned.price.free, [t.tool for t in pinned.spec.tools]) == (
            True,
            ["search_catalogue", "estimate"],
        )
        desk = AgentDesk(
            home.db, Admin(home.db, home.ledger, home.auth, home.clock), home.ledger, listings, home.clock
        )
        await desk.suspend(Actor("root", "r"), found["doc-writer"].agent_id, 1, reason="no")
        changed = shipping.shipped()
        changed["code-reviewer"] = msgspec.structs.replace(changed["code-reviewer"], summary="Better")
        monkeypatch.setattr(shipping, "shipped", lambda: changed)
        assert await shipping.ship(home.db, home.vault, home.clock) == 1
        live = {head.slug: version.version for head, version in await listings.finding.listed()}
        assert (live["code-reviewer"], "doc-writer" in live) == (2, False)

    at_home(tmp_path, test)


def test_a_task_is_told_of_the_agent_that_fits_and_not_of_others(tmp_path: Path) -> None:
    async def test(home: Home) -> None:
        listings = Listings.on(home.db, home.vault, home.ledger, home.clock)
        await shipping.ship(home.db, home.vault, home.clock)
        for task, slugs in (
            ("Please write the commit message for this diff", ["commit-writer"]),
            ("Write pytest tests for my function, edges first", ["test-writer"]),
            ("Extract the invoice data from this text as JSON", ["data-extractor"]),
            ("Tell me a story about the sea", []),
        ):
            found = [head.slug for head, _ in await listings.finding.suggest(task, 1)]
            assert found == slugs, task

    at_home(tmp_path, test)


def test_shipped_agents_pass_what_everybody_s_must_and_have_examples() -> None:
    for spec in shipping.shipped().values():
        assert checks.secrets_in(spec) == []
        assert spec.examples
        assert all(e.expects for e in spec.examples)
        assert 1 <= len(spec.summary) <= 200
        assert spec.licence == "Apache-2.0"
