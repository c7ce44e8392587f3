"""Publishing: nothing new reaches users unseen, no secret and no look-alike is listed, prices rise with notice."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from agent_marketplace.admin import Actor, Admin, AgentDesk
from agent_marketplace.errors import BadRequest, Conflict, Forbidden, NotFound
from agent_marketplace.listings import AgentPrice, Listings, Spec, Tool, Version, checks, names, prices, store
from agent_marketplace.listings.spec import Example
from tests.fakes.home import Home, at_home

pytestmark = pytest.mark.both_databases
BY = Actor("root", "req")
WORDS = " ".join(f"word{i}" for i in range(60))
SPEC = Spec(
    name="Reviewer",
    model="gpt4",
    instructions=WORDS,
    summary="Reviews a diff",
    category="code",
    licence="MIT",
)


class Shop:
    def __init__(self, home: Home) -> None:
        self.home = home
        self.listings = Listings.on(home.db, home.vault, home.ledger, home.clock)
        self.publishing, self.finding = self.listings.publishing, self.listings.finding
        admin = Admin(home.db, home.ledger, home.auth, home.clock)
        self.admin, self.desk = admin, AgentDesk(home.db, admin, home.ledger, self.listings, home.clock)

    async def made(self, spec: Spec = SPEC, *, who: str = "ada", slug: str = "reviewer") -> str:
        await self.publishing.take_handle(who, who)
        return (await self.publishing.create(who, slug, spec))[0].agent_id

    async def listed(self, spec: Spec = SPEC, *, who: str = "ada", slug: str = "reviewer") -> str:
        agent_id = await self.made(spec, who=who, slug=slug)
        await self.publishing.submit(who, agent_id, 1, "listed")
        await self.desk.approve(BY, agent_id, 1, reason="fine")
        return agent_id

    async def next(self, agent_id: str, **changes: object) -> Version:
        """The next version with changes, asked to be listed."""
        _, versions = await self.publishing.own("ada", agent_id)
        made = await self.publishing.add_version(
            "ada", agent_id, msgspec.structs.replace(versions[0].spec, **changes)
        )
        return await self.publishing.submit("ada", agent_id, made.version, "listed")

    async def found(self, words: str = "") -> list[str]:
        self.home.clock.advance(1)
        return [head.path for _, (head, _) in await self.finding.search(words)]


def in_shop(path: Path, test: Callable[[Shop], Awaitable[None]]) -> None:
    async def go(home: Home) -> None:
        await test(Shop(home))

    at_home(path, go)


def test_a_first_listing_and_every_added_power_wait_for_a_person_and_texts_do_not(tmp_path: Path) -> None:
    async def test(shop: Shop) -> None:
        agent_id = await shop.made()
        assert (await shop.publishing.submit("ada", agent_id, 1, "unlisted")).state == "listed"
        assert await shop.found() == []
        assert (await shop.publishing.submit("ada", agent_id, 1, "listed")).state == "submitted"
        assert await shop.found() == []
        (waiting,) = await shop.desk.queue()
        assert waiting.spec.instructions == WORDS
        await shop.desk.approve(BY, agent_id, 1, reason="looks fine")
        assert await shop.found("review") == ["ada/reviewer"]
        assert await shop.found("nonsense") == []
        assert (await shop.next(agent_id, instructions="Shorter")).state == "listed"
        fetch = Tool(server="builtin", tool="fetch")
        for power in ({"tools": [fetch]}, {"hosts": ["a.example.com"]}, {"scopes": ["files:read"]}):
            version = await shop.next(agent_id, **power)
            assert version.state == "submitted"
            assert (await shop.publishing.own("ada", agent_id))[0].live == 2
            head, base = await shop.desk.compared((await shop.desk.queue())[0])
            assert base is not None
            assert (head.path, base.version, base.spec.instructions) == ("ada/reviewer", 2, "Shorter")
            assert await shop.desk.to_do() == (1, 0)
            await shop.desk.reject(BY, agent_id, version.version, reason="why does it need that?")
            await shop.publishing.add_version("ada", agent_id, SPEC)
        ((head, versions),) = await shop.desk.agents("ada/rev", None, 5)
        assert (head.live, versions[0].spec.instructions) == (2, "")
        assert await shop.desk.agents("", head.agent_id, 5) == []
        assert (await shop.next(agent_id)).state == "listed"
        acts = [line.act for line in await shop.admin.whole_audit()]
        assert acts == ["approve agent", "reject agent", "reject agent", "reject agent"]
        _, versions = await shop.publishing.own("ada", agent_id)
        assert [v.findings for v in versions if v.state == "rejected"] == [["why does it need that?"]] * 3

    in_shop(tmp_path, test)


def test_the_kill_switch_works_at_once_and_what_follows_is_seen_by_a_person(tmp_path: Path) -> None:
    async def test(shop: Shop) -> None:
        agent_id = await shop.listed()
        await shop.finding.agree("u", "ada", "reviewer", 1)
        resolver = shop.listings.resolver
        assert (await resolver.resolve("agent/ada/reviewer", "u")).version == 1
        await shop.desk.suspend(BY, agent_id, 1, reason="leaks")
        assert await shop.found() == []
        assert await resolver.stopped(agent_id, 1)
        for name in ("agent/ada/reviewer", "agent/ada/reviewer@1"):
            with pytest.raises((NotFound, Forbidden)):
                await resolver.resolve(name, "u")
        with pytest.raises(Conflict):
            await shop.publishing.submit("ada", agent_id, 1, "listed")
        assert (await shop.next(agent_id, instructions="Better")).state == "submitted"
        await shop.desk.restore(BY, agent_id, 1, reason="it did not")
        assert (await resolver.resolve("agent/ada/reviewer", "u")).version == 1

    in_shop(tmp_path, test)


def test_secrets_copies_and_look_alikes_are_not_listed_unseen(tmp_path: Path) -> None:
    async def test(shop: Shop) -> None:
        await shop.listed()
        for who, slug, spec, words in (
            (
                "eve",
                "copy",
                msgspec.structs.replace(SPEC, name="Other", instructions=f"Be kind. {WORDS}"),
                "% of its text",
            ),
            (
                "mallory",
                "alike",
                msgspec.structs.replace(SPEC, name="Rev\u0456ewer", instructions="x"),
                "taken for",
            ),
            ("trent", "big", msgspec.structs.replace(SPEC, name="0penAI", instructions="x"), "reserved"),
        ):
            agent_id = await shop.made(spec, who=who, slug=slug)
            waiting = await shop.publishing.submit(who, agent_id, 1, "listed")
            assert waiting.state == "submitted"
            assert words in "".join(waiting.findings)
        leaky = msgspec.structs.replace(SPEC, instructions="Use sk-proj-0123456789abcdefghij for it")
        agent_id = await shop.made(leaky, slug="leaky")
        for visibility in ("unlisted", "listed"):
            with pytest.raises(BadRequest) as refused:
                await shop.publishing.submit("ada", agent_id, 1, visibility)
            assert refused.value.code == "secret_found"
            assert "0123456789" not in refused.value.message
        assert (await shop.publishing.submit("ada", agent_id, 1, "private")).state == "listed"
        for handle in ("openai", "0penai", "ada--b", "-ada", "a", "Ada"):
            with pytest.raises(BadRequest):
                await shop.publishing.take_handle("new", handle)
        with pytest.raises(Conflict, match="taken for"):
            await shop.publishing.take_handle("new", "rnallory")
        with pytest.raises(Conflict, match="stays"):
            await shop.publishing.take_handle("ada", "lovelace")

    in_shop(tmp_path, test)


def test_a_rise_has_notice_and_one_a_month_also_after_the_version_before_was_taken_back(
    tmp_path: Path,
) -> None:
    async def test(shop: Shop) -> None:
        low, high = (AgentPrice(fee_run_nano=n, max_fee_nano=n) for n in (100, 200))
        agent_id = await shop.listed(msgspec.structs.replace(SPEC, price=low))
        risen = await shop.next(agent_id, price=high)
        now = shop.home.clock.now_ms()
        assert (risen.state, risen.price_at(now), risen.price_from) == ("listed", low, now + prices.NOTICE_MS)
        assert risen.price_at(now + prices.NOTICE_MS) == high
        with pytest.raises(BadRequest, match="30 days"):
            await shop.next(agent_id, price=AgentPrice(fee_run_nano=300, max_fee_nano=300))
        same = await shop.next(agent_id, price=high, summary="Better words")
        assert (same.price_at(now), same.price_from) == (low, risen.price_from)
        await shop.publishing.withdraw("ada", agent_id, same.version)
        with pytest.raises(BadRequest, match="30 days"):  # taking it back does not make it a first price
            await shop.next(agent_id, price=AgentPrice(fee_run_nano=300, max_fee_nano=300))
        cut = await shop.next(agent_id, price=AgentPrice(fee_run_nano=50, max_fee_nano=50))
        assert cut.price_at(shop.home.clock.now_ms()).fee_run_nano == 50

    in_shop(tmp_path, test)


def test_forks_name_what_they_were_made_from_and_only_where_the_licence_allows(tmp_path: Path) -> None:
    async def test(shop: Shop) -> None:
        await shop.listed()
        await shop.listed(msgspec.structs.replace(SPEC, name="Closed", licence="proprietary"), slug="closed")
        await shop.publishing.take_handle("bob", "bob")
        head, version = await shop.publishing.fork("bob", "ada", "reviewer", "mine")
        assert await shop.finding.origin(head) == "ada/reviewer@1"
        assert (version.spec.instructions, version.state) == (WORDS, "draft")
        with pytest.raises(Forbidden):
            await shop.publishing.fork("bob", "ada", "closed", "mine-too")
        with pytest.raises(NotFound):
            await shop.publishing.own("ada", head.agent_id)
        with pytest.raises(Conflict):
            await shop.publishing.create("bob", "mine", SPEC)
        with pytest.raises(Conflict, match="handle"):
            await shop.publishing.create("nobody", "mine", SPEC)

    in_shop(tmp_path, test)


def test_installed_agents_say_when_they_must_be_agreed_to_again_and_pins_stay(tmp_path: Path) -> None:
    async def test(shop: Shop) -> None:
        agent_id = await shop.listed()
        with pytest.raises(NotFound):
            await shop.finding.agree("u", "ada", "reviewer", 9)
        await shop.finding.agree("u", "ada", "reviewer", 1)
        await shop.finding.agree("pinner", "ada", "reviewer", 1, pin=True)
        grown = await shop.next(agent_id, hosts=["a.example.com"])
        await shop.desk.approve(BY, agent_id, grown.version, reason="named")
        ((_, version, given),) = await shop.finding.installed("u")
        assert (version.version, given.consent_hash == version.consent_hash) == (2, False)
        ((_, version, given),) = await shop.finding.installed("pinner")
        assert (version.version, given.consent_hash == version.consent_hash) == (1, True)
        with pytest.raises(Conflict):  # not the card that is offered now
            await shop.finding.agree("u", "ada", "reviewer", 1)
        await shop.finding.revoke("u", "ada", "reviewer")
        assert await shop.finding.installed("u") == []
        with pytest.raises(NotFound):
            await shop.finding.revoke("u", "ada", "reviewer")

    in_shop(tmp_path, test)


def test_an_erased_author_leaves_nothing_to_run(tmp_path: Path) -> None:
    async def test(shop: Shop) -> None:
        await shop.listed()
        await shop.home.db.write(lambda c: store.erase_user(c, "ada"))
        assert await shop.found() == []
        with pytest.raises(NotFound):
            await shop.finding.page("ada", "reviewer", None)

    in_shop(tmp_path, test)


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN RSA PRIVATE KEY-----", "AKIAIOSFODNN7EXAMPLE", "ghp_0123456789abcdefghijABCDEFGHIJ0123",
        "postgres://bob:hunter22@db.example.com/x", "api_key = 'abcdefghijklmnop1234'", "xoxb-1234567890-abc",
        "glpat-ABCDEFGHIJ0123456789", "whsec_0123456789abcdefghij", "Authorization: Bearer abcdefghijklmnop0123",
        "123456789:AAabcdefghijklmnopqrstuvwxyz0123456", "AKIA\u200bIOSFODNN7EXAMPLE",
    ],
)  # fmt: skip
def test_secrets_are_seen_wherever_they_stand(text: str) -> None:
    for field in (
        {"instructions": text},
        {"description": text},
        {"parameters": {"stop": text}},
        {"starters": [text]},
        {"examples": [Example(input="Which?", expects=[text])]},
    ):
        assert checks.secrets_in(msgspec.structs.replace(SPEC, **field))
    assert not checks.secrets_in(
        msgspec.structs.replace(SPEC, instructions="Never print a password or an API key.")
    )


def test_a_copy_is_seen_though_its_letters_were_changed_for_others_or_it_is_short() -> None:
    def marks(text: str) -> list[int]:
        return checks.sketch(msgspec.structs.replace(SPEC, instructions=text, description=""))

    theirs = marks(WORDS)
    for copy in (
        WORDS.replace("o", "\u043e"),
        "\u200d".join(WORDS),
        WORDS.upper(),
        "".join(f"{c}\u0301" if c.isalpha() else c for c in WORDS),
    ):
        assert checks.shared(theirs, marks(copy)) == 100
    short = "Sum it up in one line."
    assert checks.shared(marks(short), marks("SUM IT UP - in one line!")) == 100
    assert checks.shared(marks(short), marks("Sum it up in two lines.")) == 0
    assert checks.shared(marks("No words"), marks("No words")) == 0


def test_names_that_look_alike_have_one_skeleton_and_others_do_not() -> None:
    assert (
        len(
            {
                names.skeleton(n)
                for n in ("Claude Reviewer", "CIaude-Reviewer", "cl\u0430ude reviewer", "C1aude  Rev1ewer")
            }
        )
        == 1
    )
    assert len({names.skeleton(n) for n in ("reviewer", "reviser", "review", "previewer")}) == 4
