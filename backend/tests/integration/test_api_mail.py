"""Mail over HTTP: a real server hands it to a real mail server, and the administrator sees what became of it."""

from collections.abc import Iterator

import pytest

from tests.fakes.mail_server import Kept, serving
from tests.fakes.server import MARKET, NUMBER, PASSWORD, Server, agreed, refused, running

pytestmark = pytest.mark.both_databases
ADMIN = "/api/v1/admin"
NEW = "another horse, another battery"


@pytest.fixture(scope="module")
def kept(database_kind: str) -> Kept:
    return Kept()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, database_kind: str, kept: Kept) -> Iterator[Server]:
    with serving(kept) as port, running(
        tmp_path_factory.mktemp("home"), MARKETPLACE_SMTP_URL=f"smtp+plain://127.0.0.1:{port}",
        MARKETPLACE_MAIL_FROM="m@example.com", MARKETPLACE_SITE="https://m.test", MARKETPLACE_SIGNUP_CONFIRM="on",
    ) as found:  # fmt: skip
        found.person("first@example.com")
        yield found


def test_a_stranger_gets_into_the_own_account_again_by_mail_and_the_credit_by_confirming(
    server: Server, kept: Kept
) -> None:
    admin = server.as_(
        agreed(
            server.anybody.post(f"{MARKET}/auth/signin", {"email": "first@example.com", "password": PASSWORD})
        )["token"]
    )
    assert agreed(admin.post(f"{ADMIN}/mail/test", {}))["to"] == "first@example.com"
    assert b"Subject: Mail works" in kept.mails[-1][1]
    ada = server.person("ada@example.com")
    assert agreed(ada.get(f"{MARKET}/billing/balance"))["balance"] == 0
    assert agreed(ada.get(f"{MARKET}/notices"))["unconfirmed"]
    offer = agreed(server.anybody.get(f"{MARKET}/auth/signup"))
    assert (offer["confirm"], offer["mail"]) == (True, True)
    known, unknown = (
        server.anybody.post(f"{MARKET}/auth/forgot", {"email": email})
        for email in ("ada@example.com", "nobody@example.com")
    )
    assert (known.status, known.body) == (unknown.status, unknown.body)
    kept.wait_for(2, b"#lnk_")
    tokens = {kind: link_in(kept, f"https://m.test/{kind}#") for kind in ("confirm", "reset")}
    assert (
        agreed(
            server.anybody.post(f"{MARKET}/auth/confirm", {"token": tokens["confirm"]}), {"credit": NUMBER}
        )["credit"]
        == 5
    )
    assert not agreed(ada.get(f"{MARKET}/notices"))["unconfirmed"]
    refused(server.anybody.post(f"{MARKET}/auth/confirm", {"token": tokens["confirm"]}), 400, "link_over")
    agreed(server.anybody.post(f"{MARKET}/auth/reset", {"token": tokens["reset"], "new_password": NEW}))
    assert ada.get(f"{MARKET}/profile").status == 401
    again = server.as_(
        agreed(server.anybody.post(f"{MARKET}/auth/signin", {"email": "ada@example.com", "password": NEW}))[
            "token"
        ]
    )
    assert agreed(again.get(f"{MARKET}/billing/balance"))["balance"] == 5
    wished = agreed(again.call("PUT", f"{MARKET}/notices", {"low_balance": "7.50"}))
    assert (wished["mail"], wished["low_balance"]) == (True, 7.5)
    assert again.call("PUT", f"{MARKET}/notices", {"low_balance": -1}).status == 400
    mails = agreed(admin.get(f"{ADMIN}/mail?limit=2"))
    assert mails["mails"][0]["to"] == "ada@example.com"
    assert mails["next_cursor"] == mails["mails"][1]["id"]
    assert "lnk_" not in admin.get(f"{ADMIN}/mail").text


def test_an_administrator_hands_a_link_on_with_the_password_only(server: Server) -> None:
    signed = server.anybody.post(
        f"{MARKET}/auth/signin", {"email": "first@example.com", "password": PASSWORD}
    )
    admin, bob = server.as_(agreed(signed)["token"]), server.person()
    path, body = f"{ADMIN}/people/{bob.user_id}/reset-link", {"reason": "no mailbox", "password": PASSWORD}
    assert admin.post(path, body | {"password": "wrong, so wrong"}).status == 401
    assert admin.post(path, body | {"reason": " "}).status == 400
    link = agreed(admin.post(path, body))["link"]
    token = link.removeprefix("https://m.test/reset#")
    refused(
        server.anybody.post(f"{MARKET}/auth/reset", {"token": token, "new_password": "short"}),
        400,
        "weak_password",
    )
    agreed(
        server.anybody.post(
            f"{MARKET}/auth/reset", {"token": token, "new_password": NEW, "revoke_keys": True}
        )
    )
    assert token not in admin.get(f"{ADMIN}/audit").text


def link_in(kept: Kept, address: str) -> str:
    """The token behind this address in what arrived."""
    texts = [mail.replace(b"=\r\n", b"").replace(b"=3D", b"=").decode() for _, mail in kept.mails]
    return next(text.split(address)[1].split()[0] for text in texts if address in text)
