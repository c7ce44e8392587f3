"""Alerts: what swings is told once, a target that fails is tried, shown and then left alone, and its address is not at rest."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from agent_marketplace import json
from agent_marketplace.admin import Actor, Admin
from agent_marketplace.alerts import RULES, Alerts, State
from agent_marketplace.alerts.alerts import TRIES
from agent_marketplace.alerts.figures import worst_of
from agent_marketplace.alerts.rules import Reading, judged, written
from agent_marketplace.errors import BadRequest, NotFound, Unavailable
from agent_marketplace.net.errors import ConnectFailed
from agent_marketplace.net.http import OutboundRequest, OutboundResponse
from agent_marketplace.settings import MailSettings
from tests.fakes.home import Home, at_home

pytestmark = pytest.mark.both_databases
BOSS = Actor("boss", "req_1")
HOOK = "https://hooks.example.com/services/T0/verysecretpath"


class Ear(OutboundResponse):
    """A webhook's answer."""

    def __init__(self, status: int) -> None:
        self.status, self.headers, self.framed = status, {}, True

    async def chunks(self) -> AsyncIterator[bytes]:
        yield b""

    def cancel(self) -> None:
        """Nothing to close."""


class Hooks:
    """The outbound client's place. status: what is answered; 0 = nobody is there."""

    def __init__(self) -> None:
        self.status = 200
        self.heard: list[dict[str, Any]] = []

    async def send(self, request: OutboundRequest) -> OutboundResponse:
        assert (request.url, request.allow_private) == (HOOK, False)
        if not self.status:
            raise ConnectFailed("nobody is there")
        if self.status < 400:
            self.heard.append(json.decode(request.body))
        return Ear(self.status)

    async def close(self) -> None:
        """Nothing to close."""


class Numbers:
    """In the place of what the parts measure."""

    def __init__(self) -> None:
        self.now = {name: Reading(0) for name in RULES}

    async def read(self) -> dict[str, Reading]:
        return self.now


def opened(home: Home) -> tuple[Alerts, Numbers, Hooks]:
    numbers, hooks = Numbers(), Hooks()
    admin = Admin(home.db, home.ledger, home.auth, home.clock)
    alerts = Alerts(home.db, admin, home.mail, home.vault, hooks, numbers, home.clock)  # type: ignore[arg-type]
    return alerts, numbers, hooks


def test_an_alert_is_told_once_by_mail_and_webhook_and_told_when_it_is_over(tmp_path: Path) -> None:
    async def story(home: Home) -> None:
        alerts, numbers, hooks = opened(home)
        await alerts.add_target(BOSS, "webhook", HOOK, reason="chat")
        await alerts.add_target(BOSS, "mail", "ops@example.com", reason="us")
        assert b"verysecretpath" not in home.stored()
        for share in (250, 250, 190, 250, 250, 100, 100):
            numbers.now["provider_errors"] = Reading(share, "openai")
            await alerts.beat()
        assert [(x["event"], x["alert"]) for x in hooks.heard] == [
            ("raised", "provider_errors"), ("quiet", "provider_errors"),
        ]  # fmt: skip
        assert "25.0 % (openai); the limit is 20.0 %" in hooks.heard[0]["text"]
        assert home.post.subjects == ["Marketplace alert raised", "Marketplace alert quiet"]
        (_, state) = next(found for found in await alerts.rules() if found[0].name == "provider_errors")
        assert (state.state, state.value) == ("quiet", 100)

    at_home(tmp_path, story, mail=MailSettings(mode="console"))


def test_a_failing_target_is_shown_left_alone_and_back_after_a_test_that_arrives(tmp_path: Path) -> None:
    async def story(home: Home) -> None:
        alerts, numbers, hooks = opened(home)
        target = await alerts.add_target(BOSS, "webhook", HOOK, reason="chat")
        hooks.status = 500
        numbers.now["absorbed"] = Reading(5 * 10**9)
        for _ in range(2):
            await alerts.beat()
        for _ in range(TRIES):
            home.clock.advance(3600)
            await alerts.deliver()
        (failed,) = await alerts.targets()
        assert (failed.failures, failed.words, failed.disabled_at is None) == (
            TRIES,
            "it answered 500",
            False,
        )
        hooks.status = 0
        with pytest.raises(Unavailable, match="nobody is there"):
            await alerts.test(target.id)
        hooks.status = 200
        numbers.now["absorbed"] = Reading(0)
        await alerts.beat()
        assert hooks.heard == []  # it is told nothing while it is off
        await alerts.test(target.id)
        (works,) = await alerts.targets()
        assert (works.failures, works.disabled_at, hooks.heard[0]["event"]) == (0, None, "test")
        await alerts.remove_target(BOSS, target.id, reason="gone")
        with pytest.raises(NotFound):
            await alerts.test(target.id)

    at_home(tmp_path, story)


def test_one_lost_answer_is_told_again_and_a_rule_that_is_off_is_not(tmp_path: Path) -> None:
    async def story(home: Home) -> None:
        alerts, numbers, hooks = opened(home)
        await alerts.add_target(BOSS, "webhook", HOOK, reason="chat")
        await alerts.set_rule(BOSS, "disk", armed=False, most=900, reason="an image of fixed size")
        numbers.now |= {"disk": Reading(990), "owed": Reading(1)}
        hooks.status = 0
        for _ in range(3):
            await alerts.beat()
        hooks.status = 200
        home.clock.advance(61)
        for _ in range(2):
            await alerts.beat()
        assert [x["alert"] for x in hooks.heard] == ["owed"]
        with pytest.raises(NotFound):
            await alerts.set_rule(BOSS, "nothing", armed=True, most=0, reason="x")
        for kind, address in (
            ("webhook", "http://a.b"),
            ("webhook", "https://"),
            ("mail", "x@y\nz"),
            ("mail", "ops@x.y"),
        ):
            with pytest.raises(BadRequest):
                await alerts.add_target(BOSS, kind, address, reason="x")

    at_home(tmp_path, story)


def test_two_nodes_that_look_at_once_tell_once(tmp_path: Path) -> None:
    async def story(home: Home) -> None:
        (one, numbers, hooks), (other, _, more) = opened(home), opened(home)
        await one.add_target(BOSS, "webhook", HOOK, reason="chat")
        other._figures = numbers  # type: ignore[assignment]
        numbers.now["unposted"] = Reading(3)
        for _ in range(3):
            await asyncio.gather(one.beat(), other.beat())
        assert len(hooks.heard + more.heard) == 1

    at_home(tmp_path, story)


def test_a_value_about_the_limit_does_not_flap() -> None:
    rule, states = RULES["disk"], []
    state = State(name="disk", armed=1, most=900, changed_at=0)
    for at, value in enumerate((901, 899, 901, 902, 899, 901, 856, 855, 910)):
        state = judged(rule, state, Reading(value), at)
        states.append(state.state == "raised")
    assert states == [False, False, False, True, True, True, True, False, False]
    assert state.changed_at == 7


def test_a_provider_with_few_calls_raises_nothing() -> None:
    rows: list[dict[str, object]] = [
        {"provider": "a", "requests": 19, "errors": 19}, {"provider": "b", "requests": 100, "errors": 25},
        {"provider": "c", "requests": 100, "errors": 3},
    ]  # fmt: skip
    assert worst_of(rows) == (250, "b")
    assert worst_of([]) == (0, "")
    assert [written("nano", -1_500_000_000), written("days", 3), written("count", 2)] == [
        "-$1.50",
        "3 days",
        "2",
    ]
