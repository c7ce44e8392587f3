"""What administrators choose counts in every process, never against the environment, and leaves no key in the open."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from operator import attrgetter
from pathlib import Path

import pytest

from agent_marketplace.admin import Actor, Admin, Choices, OperatorKeys
from agent_marketplace.errors import BadRequest, Conflict, NotFound
from agent_marketplace.providers.endpoints import EndpointTable
from agent_marketplace.settings import CHANGEABLE, Settings, load, text_of
from agent_marketplace.vault import Vault
from tests.fakes.home import Home, at_home

pytestmark = pytest.mark.both_databases
BY = Actor("root", "req")
KEY = "sk-canary-of-the-operator-0123456789"


class Worker:
    """One process, as far as choices and keys go."""

    def __init__(self, home: Home, settings: Settings) -> None:
        admin = Admin(home.db, home.ledger, home.auth, home.clock)
        self.admin, self.choices = admin, Choices(home.db, admin, home.clock, settings)
        self.endpoints = EndpointTable(settings, {"ANTHROPIC_API_KEY": "sk-ant-of-the-environment"})
        self.told: list[str] = []

        async def probe(provider: str, secret: object) -> str:
            return home.verdict

        vault = Vault(home.db, home.secrets.keyring, home.clock)
        self.keys = OperatorKeys(vault, admin, self.endpoints, probe)  # type: ignore[arg-type]
        self.keys.changed = self.told.append

    def key(self, provider: str) -> str | None:
        endpoint = self.endpoints.get(provider)
        assert endpoint is not None
        return endpoint.key


def with_workers(
    path: Path,
    test: Callable[[Home, Worker, Worker], Awaitable[None]],
    *,
    given: frozenset[str] = frozenset(),
) -> None:
    async def go(home: Home) -> None:
        settings = replace(home.settings, given=given)
        await test(home, Worker(home, settings), Worker(home, settings))

    at_home(path, go)


def test_a_setting_counts_in_every_process_and_the_environment_wins(tmp_path: Path) -> None:
    async def test(_: Home, one: Worker, other: Worker) -> None:
        applied: list[str] = []
        other.choices.apply = lambda: applied.append(other.choices.settings.signup)
        await one.choices.choose(BY, "MARKETPLACE_SIGNUP", "closed", reason="full")
        await one.choices.choose(BY, "banner", " Down at noon ", reason="works")
        await one.choices.switch(BY, "openai/gpt-4o-mini", off=True, reason="too dear")
        await other.choices.follow()
        await other.choices.follow()
        assert applied == ["closed"]
        assert (other.choices.banner, other.choices.off) == ("Down at noon", {"openai/gpt-4o-mini"})
        for name, value, error in (
            ("MARKETPLACE_MARKUP", "2", Conflict),
            ("MARKETPLACE_SIGNUP", "sometimes", BadRequest),
            ("MARKETPLACE_SIGNUP_CREDIT", "-1", BadRequest),
            ("banner", "x" * 301, BadRequest),
            ("JWT_SECRET", "x", NotFound),
            ("STRIPE_SECRET_KEY", "sk_x", NotFound),
            ("MARKETPLACE_TOPUP_LEAST", "1001", BadRequest),  # more than the largest order
            ("MARKETPLACE_REFUND_DAYS", "two weeks", BadRequest),
        ):
            with pytest.raises(error):
                await one.choices.choose(BY, name, value, reason="why not")
        await one.choices.choose(BY, "MARKETPLACE_SIGNUP", None, reason="room again")
        await other.choices.follow()
        assert other.choices.settings.signup == "open"
        sources = {s.name: s.source for s in other.choices.shown()}
        assert (sources["MARKETPLACE_MARKUP"], sources["MARKETPLACE_SIGNUP"], sources["banner"]) == (
            "environment",
            "default",
            "console",
        )
        lines = [(line.object, line.before, line.after) for line in await one.admin.whole_audit()]
        assert lines[0] == ("MARKETPLACE_SIGNUP", {"value": None}, {"value": "closed"})
        assert len(lines) == 4

    with_workers(tmp_path, test, given=frozenset({"MARKETPLACE_MARKUP"}))


def test_a_limit_put_back_to_its_default_does_not_refuse_every_order(tmp_path: Path) -> None:
    """At least 2,000 dollars and at most 1,000: nobody could order anything. Another process chose the one half."""

    async def test(_: Home, one: Worker, other: Worker) -> None:
        await one.choices.choose(BY, "MARKETPLACE_TOPUP_MOST", "5000", reason="firms")
        await other.choices.choose(BY, "MARKETPLACE_TOPUP_LEAST", "2000", reason="firms")
        with pytest.raises(BadRequest):
            await one.choices.choose(BY, "MARKETPLACE_TOPUP_MOST", None, reason="as before")
        with pytest.raises(BadRequest):
            await one.choices.choose(BY, "MARKETPLACE_TOPUP_MOST", "1999", reason="less")
        await one.choices.follow()
        payments = one.choices.settings.payments
        assert (payments.least_nano, payments.most_nano) == (2000 * 10**9, 5000 * 10**9)
        await one.choices.choose(BY, "MARKETPLACE_TOPUP_LEAST", None, reason="in this order")
        await one.choices.choose(BY, "MARKETPLACE_TOPUP_MOST", None, reason="it goes")
        assert len(await one.admin.whole_audit()) == 4  # what was refused is on no record

    with_workers(tmp_path, test)


def test_a_limit_that_the_environment_sets_later_leaves_an_amount_to_order(tmp_path: Path) -> None:
    """The console's least order is 50 dollars; the server is started again with a largest one of 20."""

    async def test(home: Home, one: Worker, other: Worker) -> None:
        await one.choices.choose(BY, "MARKETPLACE_TOPUP_LEAST", "50", reason="firms")
        payments = replace(home.settings.payments, most_nano=20 * 10**9)
        given = frozenset({"MARKETPLACE_TOPUP_MOST"})
        later = Worker(home, replace(home.settings, payments=payments, given=given)).choices
        await later.follow()
        found = later.settings.payments
        assert (found.least_nano, found.most_nano) == (5 * 10**9, 20 * 10**9)
        await later.choose(BY, "MARKETPLACE_TOPUP_LEAST", "10", reason="as it has to be")
        assert later.settings.payments.least_nano == 10 * 10**9

    with_workers(tmp_path, test)


def test_every_setting_reads_back_what_it_shows() -> None:
    settings = load({"HOME": "/tmp", "MARKETPLACE_MARKUP": "1.25", "MARKETPLACE_SIGNUP_CREDIT": "0.5"})
    for name, (field, read) in CHANGEABLE.items():
        assert read({name: text_of(settings, name)}) == attrgetter(field)(settings), name
    assert settings.given == {"MARKETPLACE_MARKUP", "MARKETPLACE_SIGNUP_CREDIT"}


def test_a_provider_key_is_used_by_every_process_and_stands_nowhere_in_the_open(tmp_path: Path) -> None:
    async def test(home: Home, one: Worker, other: Worker) -> None:
        await one.keys.save(BY, "openai", KEY, reason="opened an account")
        assert one.key("openai") == KEY
        home.clock.advance(2)
        await other.keys.follow()
        assert (other.key("openai"), other.told, other.keys.source("openai")) == (KEY, ["openai"], "console")
        assert KEY.encode() not in home.stored()
        home.verdict = "refused"
        with pytest.raises(BadRequest):
            await one.keys.save(BY, "mistral", KEY, reason="a typing error")
        assert await one.keys.test("openai") == "refused"
        for provider, error in (("anthropic", Conflict), ("nobody", NotFound), ("mistral", NotFound)):
            with pytest.raises(error):
                await one.keys.delete(BY, provider, reason="gone")
        assert one.key("anthropic") == "sk-ant-of-the-environment"
        await one.keys.delete(BY, "openai", reason="closed")
        home.clock.advance(2)
        await other.keys.follow()
        assert (one.key("openai"), other.key("openai"), other.keys.source("openai")) == (None, None, None)
        acts = [line.act for line in await one.admin.whole_audit()]
        assert acts == ["save provider key", "delete provider key"]

    with_workers(tmp_path, test)
