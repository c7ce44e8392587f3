"""Mail: no act without its mail and no mail without its act; a link works once, tells nobody who has an account, and is not at rest."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from agent_marketplace.accounts.errors import InvalidCredentials, InvalidToken, WeakPassword
from agent_marketplace.accounts.keys import Cap
from agent_marketplace.admin import Actor, Admin, MailDesk
from agent_marketplace.db.engine import Database
from agent_marketplace.db.tables.ledger import signup_credit_days
from agent_marketplace.db.tables.mail import links, outbox
from agent_marketplace.errors import BadRequest, Conflict, NotFound, RateLimited, Unavailable
from agent_marketplace.mail.mail import RETRY_S, amount
from agent_marketplace.net.smtp import NotSent
from agent_marketplace.settings import MailSettings
from tests.fakes.books import DOLLAR, settlement
from tests.fakes.home import PASSWORD, Home, at_home
from tests.fakes.paying import BOSS, desk

pytestmark = pytest.mark.both_databases
NEW = "another horse, another battery"
POST = MailSettings(mode="console")
BOSSES = Actor("boss", "req_1")


async def people(home: Home) -> tuple[str, str]:
    """(the administrator, somebody): user ids."""
    boss = await home.auth.sign_up("boss@example.com", PASSWORD)
    ann = await home.auth.sign_up("ann@example.com", PASSWORD)
    return boss.user_id, ann.user_id


def test_a_forgotten_password_is_chosen_anew_once_and_ends_what_was_signed_in(tmp_path: Path) -> None:
    async def story(home: Home) -> None:
        await people(home)
        session = await home.auth.sign_in("ann@example.com", PASSWORD)
        by_link = home.accounts.by_link
        for _ in range(2):
            await by_link.forgot("Ann@example.com")
        assert await home.mail.deliver() == 2
        token = home.post.token()
        assert token.split(".")[1].encode() not in home.stored()
        with pytest.raises(WeakPassword):
            await by_link.reset_password(token, "short")
        await by_link.reset_password(token, NEW)
        with pytest.raises(InvalidToken):
            await home.auth.verify_token(session)
        with pytest.raises(InvalidCredentials):
            await home.auth.sign_in("ann@example.com", PASSWORD)
        assert await home.auth.sign_in("ann@example.com", NEW)
        other = home.post.letters[0].get_content().split("#")[1].split()[0]
        for over in (token, other, token[:-1] + "x", "", "lnk_x.é", token.split(".")[0]):
            with pytest.raises(BadRequest, match="link"):
                await by_link.reset_password(over, PASSWORD)
        await home.mail.deliver()
        assert home.post.subjects[-1] == "Your password was changed"
        assert home.post.letters[-1]["To"] == "ann@example.com"

    at_home(tmp_path, story, mail=POST)


def test_two_who_use_one_link_at_once_choose_one_password(tmp_path: Path) -> None:
    async def story(home: Home) -> None:
        await people(home)
        await home.accounts.by_link.forgot("ann@example.com")
        await home.mail.deliver()
        tried = [home.accounts.by_link.reset_password(home.post.token(), f"{NEW} {n}") for n in range(4)]
        outcomes = await asyncio.gather(*tried, return_exceptions=True)
        assert sum(outcome is None for outcome in outcomes) == 1

    at_home(tmp_path, story, mail=POST)


def test_an_address_without_an_account_is_answered_and_costs_the_same_and_gets_no_mail(
    tmp_path: Path,
) -> None:
    async def story(home: Home) -> None:
        await people(home)
        for email in ("nobody@example.com", "no address", "ann@example.com"):
            assert await home.accounts.by_link.forgot(email, address="192.0.2.1") is None
        made = home.db.read_sync(lambda c: c.execute(sa.select(links.c.user_id)).scalars().all())
        assert sorted(bool(user) for user in made) == [False, True]
        assert await home.mail.deliver() == 1
        for _ in range(6):  # her mailbox is not flooded, and nobody is told that it is full
            await home.accounts.by_link.forgot("ann@example.com", address="192.0.2.2")
        assert await home.mail.deliver() == 2
        for n in range(8):
            await home.accounts.by_link.forgot(f"{n}@example.com", address="192.0.2.1")
        with pytest.raises(RateLimited):
            await home.accounts.by_link.forgot("9@example.com", address="192.0.2.1")

    at_home(tmp_path, story, mail=POST)


def test_a_link_is_over_after_its_hour_and_is_not_mailed_then(tmp_path: Path) -> None:
    async def story(home: Home) -> None:
        await people(home)
        await home.accounts.by_link.forgot("ann@example.com")
        await home.mail.deliver()
        await home.accounts.by_link.forgot("ann@example.com")
        home.clock.advance(3601)
        assert await home.mail.deliver() == 0
        assert (await home.mail.find(None, 1))[0].words == "its link has ended"
        with pytest.raises(BadRequest):
            await home.accounts.by_link.reset_password(home.post.token(), NEW)

    at_home(tmp_path, story, mail=POST)


def test_sign_up_credit_waits_for_the_address_and_comes_once(tmp_path: Path) -> None:
    async def story(home: Home) -> None:
        boss, ann = await people(home)
        assert await home.auth.get_user_balance(boss) == 5  # whoever sets a server up needs no mail
        assert await home.auth.get_user_balance(ann) == 0
        await home.mail.deliver()
        token = home.post.token()
        assert not await home.accounts.by_link.confirm_again(ann)  # within the hour
        home.clock.advance(3601)
        assert await home.accounts.by_link.confirm_again(ann)
        assert await home.accounts.by_link.confirm(token, address="192.0.2.1") == 5 * DOLLAR
        await home.mail.deliver()
        with pytest.raises(BadRequest):
            await home.accounts.by_link.confirm(token)
        assert home.post.letters[-1]["To"] == "ann@example.com"
        assert (
            await home.accounts.by_link.confirm(home.post.token()) == 0
        )  # the second link brings no second credit
        assert await home.auth.get_user_balance(ann) == 5
        assert not await home.accounts.by_link.confirm_again(ann)
        assert home.db.read_sync(home.ledger.verify_sync).problems == []
        counted = sa.select(signup_credit_days.c.granted_nano)
        assert home.db.read_sync(lambda c: list(c.execute(counted).scalars())) == [10 * DOLLAR]

    at_home(tmp_path, story, mail=MailSettings(mode="console", confirm=True))


def test_without_mail_the_administrator_hands_links_on_and_the_log_holds_none(tmp_path: Path) -> None:
    async def story(home: Home) -> None:
        _, ann = await people(home)
        admin = Admin(home.db, home.ledger, home.auth, home.clock)
        desk = MailDesk(home.db, admin, home.mail, home.accounts.by_link.links)
        await home.accounts.by_link.forgot("ann@example.com")
        assert await home.mail.deliver() == 0
        (shown,) = await home.mail.find(None, 10)
        assert (shown.state, shown.recipient) == ("shown", "ann@example.com")
        made = await desk.link(BOSSES, shown.id, reason="she called")
        handed = await desk.reset_link(BOSSES, ann, reason="she called again")
        await home.accounts.by_link.reset_password(handed.url.split("#")[1], NEW)
        with pytest.raises(BadRequest):
            await home.accounts.by_link.reset_password(made.url.split("#")[1], PASSWORD)
        with pytest.raises(Conflict):
            await desk.link(BOSSES, shown.id, reason="again")
        with pytest.raises(NotFound):
            await desk.reset_link(BOSSES, "nobody", reason="x")
        with pytest.raises(BadRequest):
            await home.mail.test("boss@example.com", "boss")
        lines = await admin.whole_audit()
        assert [line.act for line in lines] == ["show link", "reset link"]
        assert made.url.split(".")[-1].encode() not in home.stored()
        await home.auth.delete_account(ann, NEW)
        assert await home.mail.find(None, 10) == []

    at_home(tmp_path, story)


def test_a_mail_server_that_is_away_is_asked_again_for_a_day_and_one_that_refuses_is_not(
    tmp_path: Path,
) -> None:
    async def story(home: Home) -> None:
        await people(home)
        post_a_note(home)
        home.post.refuses = [NotSent("nobody there", away=True)] * (len(RETRY_S) + 1)
        waited = 0
        while (await home.mail.find(None, 1))[0].state == "waiting":
            await home.mail.deliver()
            home.clock.advance(60)
            waited += 60
        assert waited > 86_400
        assert (await home.mail.find(None, 1))[0].attempts == len(RETRY_S) + 1
        post_a_note(home)
        home.post.refuses = [NotSent("550 no such mailbox", for_good=True)]
        assert await home.mail.deliver() == 0
        refused = (await home.mail.find(None, 1))[0]
        assert (refused.state, refused.words) == ("failed", "550 no such mailbox")
        home.db.write_sync(lambda c: home.mail.again_in(c, refused.id))
        assert await home.mail.deliver() == 1
        assert await home.mail.counts() == {"failed": 1, "sent": 1}
        home.post.refuses = [NotSent("nobody there")]
        with pytest.raises(Unavailable, match="nobody there"):
            await home.mail.test("boss@example.com", "boss")

    at_home(tmp_path, story, mail=POST)


def post_a_note(home: Home) -> None:
    """Something to send that is no link."""
    home.db.write_sync(
        lambda c: home.mail.post_in(c, "test", "", {"by": "boss"}, recipient="boss@example.com")
    )


def test_a_process_that_died_while_sending_leaves_its_mail_to_another(tmp_path: Path) -> None:
    async def story(home: Home) -> None:
        await people(home)
        post_a_note(home)

        def dies(_: object) -> None:
            raise MemoryError

        home.mail._send = dies
        with pytest.raises(MemoryError):
            await home.mail.deliver()
        home.mail._send = home.post
        assert await home.mail.deliver() == 0  # it is still the other's
        home.clock.advance(121)
        assert await home.mail.deliver() == 1

    at_home(tmp_path, story, mail=POST)


def test_a_low_balance_is_told_once_until_there_was_more(tmp_path: Path) -> None:
    async def story(home: Home) -> None:
        _, ann = await people(home)
        assert (await home.mail.wish(ann, 3 * DOLLAR)).low_nano == 3 * DOLLAR
        for _ in range(2):
            await home.ledger.charge(ann, 2_500_000_000, kind="deduction")
            for _ in range(3):
                await home.mail.watch()
            await home.ledger.grant(ann, 2_500_000_000, kind="credit")
            await home.mail.watch()
        assert await home.mail.deliver() == 2
        assert home.post.subjects == ["Your balance is below $3.00"] * 2
        assert "$2.50" in home.post.text()
        await home.mail.wish(ann, None)
        await home.ledger.charge(ann, 4 * DOLLAR, kind="deduction")
        await home.mail.watch()
        assert await home.mail.deliver() == 0

    at_home(tmp_path, story, mail=POST)


def test_a_spent_cap_is_told_once_in_its_window(tmp_path: Path) -> None:
    async def story(home: Home) -> None:
        _, ann = await people(home)
        key = await home.accounts.keys.create(ann, "my editor", cap=Cap(DOLLAR, "total"))
        await home.ledger.hold("r1", ann, DOLLAR, price_version="v", key_id=key.info.key_id, meta={})
        await home.ledger.settle(settlement("r1", 970_000_000, user=ann))
        for _ in range(3):
            await home.mail.watch()
        await home.mail.forget()
        await home.mail.watch()
        assert await home.mail.deliver() == 1
        assert "$0.97 of its cap of $1.00 (in all)" in home.post.text()
        home.clock.advance(40 * 86_400)
        await home.mail.forget()
        await home.mail.watch()
        assert await home.mail.deliver() == 0

    at_home(tmp_path, story, mail=POST)


def test_a_payment_and_what_became_of_its_refund_are_mailed_once(database: Database) -> None:
    async def story(shop: Any) -> None:
        order = await shop.payments.orders.make("ann", "transfer", 20 * DOLLAR, attempt="a")
        for _ in range(2):
            await shop.payments.orders.received(BOSS, order.id, 2000, "USD", reference="b", reason="came")
        await shop.mail.deliver()
        assert shop.post.subjects == ["Receipt no. 1: $20.00 added"]
        assert shop.post.letters[0]["To"] == "ann@example.com"
        for sent, subject in ((False, "A refund could not be paid back"), (True, "$20.00 was paid back")):
            found = await shop.payments.returns.ask("ann", order.id)
            for _ in range(2):
                await shop.payments.returns.close(
                    BOSS, found.id, sent=sent, reference=None, reason="the bank says so"
                )
            await shop.mail.deliver()
            assert shop.post.subjects[-1] == subject
        assert len(shop.post.letters) == 3

    with desk(database) as shop:
        asyncio.run(story(shop))


def test_an_act_that_is_rolled_back_mails_nothing(tmp_path: Path) -> None:
    async def story(home: Home) -> None:
        await people(home)

        def work(connection: sa.Connection) -> None:
            home.mail.post_in(connection, "test", "", {"by": "x"}, recipient="a@b.c")
            raise RuntimeError

        with pytest.raises(RuntimeError):
            home.db.write_sync(work)
        assert home.db.read_sync(lambda c: c.execute(sa.select(outbox.c.id)).all()) == []

    at_home(tmp_path, story, mail=POST)


def test_amounts_are_read_as_money_is() -> None:
    assert [amount(n) for n in (5 * DOLLAR, 1_239_999_999, 1_000, -2_505_000_000)] == [
        "5.00", "1.23", "0.000001", "-2.50",
    ]  # fmt: skip
