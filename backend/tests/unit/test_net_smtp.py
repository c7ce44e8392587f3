"""Mail handed to a real mail server: under TLS or not at all, and nothing that a person chose becomes a header."""

from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult

from agent_marketplace.mail.letters import KINDS, Letter, letter, message
from agent_marketplace.net.smtp import NotSent, deliver
from agent_marketplace.settings import SettingsError, SmtpServer, load
from tests.fakes.mail_server import Kept, serving
from tests.fakes.tls import contexts


def written(subject: str = "Hello", recipient: str = "ann@example.com") -> EmailMessage:
    return message(
        Letter(subject, "Text\n"),
        sender="Market <m@example.com>",
        recipient=recipient,
        name="mail_1",
        at_ms=0,
    )


def test_a_mail_arrives_whole() -> None:
    kept = Kept()
    with serving(kept) as port:
        deliver(SmtpServer("127.0.0.1", port, "none"), written())
        deliver(SmtpServer("127.0.0.1", port, "none"), written("Grüße", "ünï@example.com"))
    (to, plain), (unicode, _) = kept.mails
    assert (to, unicode) == (["ann@example.com"], ["ünï@example.com"])
    assert b"Message-ID: <mail_1@example.com>" in plain
    assert b"Auto-Submitted: auto-generated" in plain


def test_a_password_goes_out_under_tls_that_proves_itself_or_not_at_all() -> None:
    kept, said = Kept(), []
    server, client = contexts("127.0.0.1")

    def check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        said.append((data.login, data.password))
        return AuthResult(success=data.password == b"right", handled=False)

    options = {
        "tls_context": server,
        "authenticator": check,
        "auth_required": True,
        "auth_exclude_mechanism": ["LOGIN"],
    }
    with serving(kept, **options) as port:
        client.check_hostname = False  # the fake's certificate names no address
        deliver(SmtpServer("127.0.0.1", port, "starttls", "me", "right"), written(), trusted=client)
        with pytest.raises(NotSent, match="535"):
            deliver(SmtpServer("127.0.0.1", port, "starttls", "me", "wrong"), written(), trusted=client)
        with pytest.raises(NotSent, match="CERTIFICATE_VERIFY_FAILED"):
            deliver(SmtpServer("127.0.0.1", port, "starttls", "me", "right"), written())
    assert said == [(b"me", b"right"), (b"me", b"wrong")]
    with serving(Kept()) as port, pytest.raises(NotSent, match="STARTTLS"):
        deliver(SmtpServer("127.0.0.1", port, "starttls", "me", "right"), written(), trusted=client)
    assert len(kept.mails) == 1


@pytest.mark.parametrize(("words", "for_good"), [("550 no such mailbox", True), ("451 later", False)])
def test_a_refusal_is_told_apart_from_a_delay(words: str, for_good: bool) -> None:
    with serving(Kept(words)) as port, pytest.raises(NotSent, match=words[:3]) as found:
        deliver(SmtpServer("127.0.0.1", port, "none"), written())
    assert (found.value.for_good, found.value.away) == (for_good, False)


def test_a_server_that_is_not_there_is_away() -> None:
    with serving(Kept()) as port:
        pass
    with pytest.raises(NotSent) as found:
        deliver(SmtpServer("127.0.0.1", port, "none"), written())
    assert found.value.away


@pytest.mark.parametrize("evil", ["x\r\nBcc: all@example.com", "x\nTo: b@c.d", "x\x00y", "\r\n\r\nbody"])
def test_nothing_that_a_person_chose_becomes_a_header(evil: str) -> None:
    facts = dict.fromkeys(
        ("wanted", "balance", "number", "credit", "paid", "method", "order", "issuer", "name", "spent", "cap", "period",
         "state", "amount", "request", "reason", "by", "event", "words"), evil)  # fmt: skip
    for kind in sorted(KINDS):
        made = message(
            letter(kind, facts, "/reset#x", "/account"), sender="m@example.com", recipient="a@example.com",
            name="mail_1", at_ms=0,
        )  # fmt: skip
        head = made.as_bytes().split(b"\r\n\r\n")[0].split(b"\r\n")
        names = [line.split(b":")[0] for line in head if not line.startswith(b" ")]
        assert sorted(set(names)) == sorted(names)
        assert b"Bcc" not in names
    for recipient in (f"a@example.com{evil}", f"{evil}@example.com"):
        with pytest.raises(ValueError):  # noqa: PT011  which of the library's, is its own affair
            written(recipient=recipient).as_bytes()


SITE = {"MARKETPLACE_SITE": "https://m.test", "MARKETPLACE_MAIL_FROM": "Market <m@example.com>"}


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"MARKETPLACE_MAIL": "smtp"}, "MARKETPLACE_SMTP_URL"),
        ({"MARKETPLACE_SMTP_URL": "smtp://h"}, "MARKETPLACE_MAIL_FROM"),
        ({**SITE, "MARKETPLACE_SMTP_URL": "http://h"}, "smtps://"),
        ({**SITE, "MARKETPLACE_SMTP_URL": "smtp://h:x"}, "smtps://"),
        ({**SITE, "MARKETPLACE_SMTP_URL": "smtp:///x"}, "host"),
        ({**SITE, "MARKETPLACE_SMTP_URL": "smtp+plain://u:p@h"}, "in the clear"),
        ({"MARKETPLACE_MAIL_FROM": "nobody"}, "no address"),
        ({"MARKETPLACE_MAIL_FROM": "a@b.c\nBcc: x@y.z"}, "no address"),
        ({"MARKETPLACE_MAIL": "yes"}, "auto"),
    ],
)
def test_settings_that_can_not_work_are_refused_by_name(env: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        load(env)


def test_a_url_of_a_mail_server_is_read_in_all_its_parts() -> None:
    env = SITE | {"MARKETPLACE_SMTP_URL": "smtps://me%40x:p%3Aw@mail.example.com"}
    found = load(env).mail
    assert (found.mode, found.smtp) == ("smtp", SmtpServer("mail.example.com", 465, "tls", "me@x", "p:w"))
    assert "p:w" not in repr(found)
    assert load({}).mail.mode == "none"
    assert load({"MARKETPLACE_MAIL": "console"}).mail.mode == "console"


def test_a_server_under_tls_from_the_first_byte_gets_mail_and_one_without_it_nothing() -> None:
    kept = Kept()
    server, client = contexts("127.0.0.1")
    client.check_hostname = False  # the fake's certificate names no address
    with serving(kept, tls=server) as port:
        deliver(SmtpServer("127.0.0.1", port, "tls"), written(), trusted=client)
        with pytest.raises(NotSent, match="CERTIFICATE_VERIFY_FAILED"):
            deliver(SmtpServer("127.0.0.1", port, "tls"), written())
    assert len(kept.mails) == 1
