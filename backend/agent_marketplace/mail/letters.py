"""What each kind of mail says. Pure: facts in, subject and text out; whatever a user chose stands in the text, never in a header."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, parseaddr
from typing import NamedTuple

Facts = Mapping[str, str]


class Letter(NamedTuple):
    """A subject on one line, and plain text."""

    subject: str
    text: str


def letter(kind: str, facts: Facts, link: str | None, account: str) -> Letter:
    """link: the single-use link of kinds that have one; account: the account page's address. Raises KeyError (kind, facts)."""
    subject, text = _KINDS[kind](facts, link or "", account)
    return Letter(" ".join(subject.split())[:200], text)


def message(letter: Letter, *, sender: str, recipient: str, name: str, at_ms: int) -> EmailMessage:
    """The letter as it travels. name: makes the Message-ID, the same however often it is sent. Raises ValueError on an address
    that is none."""
    if not recipient.isprintable():
        raise ValueError("no address")
    words, from_ = parseaddr(sender)
    made = EmailMessage(SMTP if recipient.isascii() else SMTPUTF8)
    made["From"] = Address(words, addr_spec=from_)
    local, _, domain = recipient.rpartition("@")
    made["To"] = Address(username=local, domain=domain)
    made["Subject"] = letter.subject
    made["Date"] = format_datetime(datetime.fromtimestamp(at_ms / 1000, UTC))
    made["Message-ID"] = f"<{name}@{from_.rpartition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(letter.text, cte="quoted-printable")
    return made


def _confirm(_: Facts, link: str, __: str) -> tuple[str, str]:
    return "Confirm your address", (
        "Somebody, hopefully you, made an account with this address.\n\n"
        f"Follow this link to confirm it and get your sign-up credit. It works once, for three days:\n\n{link}\n\n"
        "If it was not you, do nothing.\n"
    )


def _reset(_: Facts, link: str, __: str) -> tuple[str, str]:
    return "Choose a new password", (
        "Somebody, hopefully you, said that the password of your account is forgotten.\n\n"
        f"Choose a new one here. The link works once, for an hour, and ends every session:\n\n{link}\n\n"
        "If it was not you, do nothing: your password stays as it is.\n"
    )


def _password(_: Facts, __: str, account: str) -> tuple[str, str]:
    return "Your password was changed", (
        "The password of your account was changed just now, and every session was ended.\n\n"
        f"If it was not you, use “Forgot password?” at once, and look at your keys:\n\n{account}\n"
    )


def _low(facts: Facts, _: str, account: str) -> tuple[str, str]:
    return f"Your balance is below ${facts['wanted']}", (
        f"Your balance is ${facts['balance']}: less than the ${facts['wanted']} at which you wished to be told.\n\n"
        f"Add credit here:\n\n{account}\n"
    )


def _receipt(facts: Facts, _: str, account: str) -> tuple[str, str]:
    return f"Receipt no. {facts['number']}: ${facts['credit']} added", (
        f"Receipt no. {facts['number']}\n\n"
        f"Credit added: ${facts['credit']}\nPaid: {facts['paid']}\nBy: {facts['method']}\nOrder: {facts['order']}\n"
        + (f"From: {facts['issuer']}\n" if facts.get("issuer") else "")
        + f"\nA version to print is on your account's page:\n\n{account}\n"
    )


def _cap(facts: Facts, _: str, account: str) -> tuple[str, str]:
    return "The cap of one of your keys is reached", (
        f"Your key “{facts['name']}” has spent ${facts['spent']} of its cap of ${facts['cap']} ({facts['period']}).\n"
        f"Calls that could cost more than what is left are refused.\n\nYour keys:\n\n{account}\n"
    )


def _refund(facts: Facts, _: str, account: str) -> tuple[str, str]:
    if facts["state"] == "done":
        return f"${facts['amount']} was paid back", (
            f"${facts['amount']} of your order {facts['order']} was paid back to where it came from.\n\n{account}\n"
        )
    return "A refund could not be paid back", (
        f"${facts['amount']} of your order {facts['order']} could not be paid back, and is in your balance again.\n\n"
        f"{account}\n"
    )


def _recharge(facts: Facts, _: str, account: str) -> tuple[str, str]:
    if facts["event"] == "limit":
        return "Automatic recharge: this month's limit is reached", (
            f"Your balance is low, and your limit of ${facts['monthly']} a month leaves no room for another ${facts['amount']}.\n"
            f"It goes on next month, or change the limit here:\n\n{account}\n"
        )
    return "Automatic recharge is off", (
        f"Your saved card is not charged any more: {facts['words']}.\n\n"
        f"It stays off until you switch it on again:\n\n{account}\n"
    )


def _dispute(facts: Facts, _: str, account: str) -> tuple[str, str]:
    given = facts["state"] == "granted"
    told = f"The ${facts['amount']} that it cost is in your balance again." if given else "It stays charged."
    reason = f"\nWhy: {facts['reason']}\n" if facts.get("reason") else ""
    return "Your disputed answer was decided", f"Answer {facts['request']}: {told}\n{reason}\n{account}\n"


def _test(facts: Facts, _: str, __: str) -> tuple[str, str]:
    return "Mail works", f"This is the test that {facts['by']} asked for. Mail from this server arrives.\n"


def _alert(facts: Facts, _: str, __: str) -> tuple[str, str]:
    return f"Marketplace alert {facts['event']}", f"{facts['words']}\n\nThe console has more: Alerts.\n"


_KINDS: dict[str, Callable[[Facts, str, str], tuple[str, str]]] = {
    "confirm": _confirm, "reset": _reset, "password": _password, "low_balance": _low, "receipt": _receipt, "cap": _cap,
    "refund": _refund, "dispute": _dispute, "recharge": _recharge, "test": _test, "alert": _alert,
}  # fmt: skip
KINDS = frozenset(_KINDS)
