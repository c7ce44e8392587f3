"""The doctor names each setting that is wrong, all at once: no setting of docs/configuration.md is left out, and none that is right is
named."""

import re
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent_marketplace.cli import doctor_reach, doctor_settings
from agent_marketplace.cli.app import app
from agent_marketplace.settings import KNOWN, load

DOCS = Path(__file__).parents[3] / "docs/configuration.md"
STRIPE = {
    "STRIPE_SECRET_KEY": "sk_test_x", "STRIPE_WEBHOOK_SECRET": "whsec_x", "MARKETPLACE_SITE": "https://m.example",
}  # fmt: skip
SMTP = {
    "MARKETPLACE_SMTP_URL": "smtp://mail.example:587", "MARKETPLACE_MAIL_FROM": "m@m.example",
    "MARKETPLACE_SITE": "https://m.example",
}  # fmt: skip
NOTICES = {
    "MARKETPLACE_PAYMENT_SECRET": "x" * 20 + "y" * 20,
    "MARKETPLACE_PAYMENT_URL": "https://p.example/{order}",
}
SECRET = "k3Vt9mQz7Lw2Xc5Rb8Nf1Hd4Gs6Jp0Ay"

# setting: (what it is wrongly set to, more settings, words of the problem)
WRONG: dict[str, list[tuple[str, dict[str, str], str]]] = {
    "MARKETPLACE_DATA_DIR": [("/etc/passwd/none", {}, "can't be written")],
    "MARKETPLACE_MODELS_DIR": [("/etc/passwd/none", {}, "can't be written")],
    "DATABASE_URL": [
        ("mysql://x/y", {}, "must start with"), ("sqlite://", {}, "names no file"), ("postgresql://a:b@h:p/x", {}, "port"),
    ],
    "JWT_SECRET": [("short", {}, "shorter than 32"), ("a" * 40, {}, "example")],
    "ENCRYPTION_KEY": [("nonsense", {}, "ENCRYPTION_KEY"), (SECRET, {}, "ENCRYPTION_KEY")],
    "MARKETPLACE_SIGNUP": [("everybody", {}, "allowed: open, invite, closed")],
    "MARKETPLACE_SIGNUP_CREDIT": [("five", {}, "not an amount"), ("-1", {}, "not an amount"), ("600", {}, "nobody gets it whole"),
        ("5", {"MARKETPLACE_SIGNUP": "closed"}, "no effect")],
    "MARKETPLACE_SIGNUP_CREDIT_DAILY": [("lots", {}, "not an amount"), ("1", {}, "nobody gets it whole")],
    "MARKETPLACE_SIGNUP_CREDITS_PER_ADDRESS": [("1001", {}, "from 0 to 1000"), ("ten", {}, "whole number")],
    "MARKETPLACE_SIGNUP_CREDIT_USE": [("some", {}, "allowed: all, free")],
    "MARKETPLACE_LIMITS": [("maybe", {}, "allowed: on, off")],
    "MARKETPLACE_CALLS_PER_USER": [("-1", {}, "whole number"), ("1.5", {}, "whole number")],
    "MARKETPLACE_STORAGE_PER_USER": [("1e9", {}, "whole number")],
    "MARKETPLACE_PROVIDER_CONNECTIONS": [("0", {}, "from 1 to 65535")],
    "MARKETPLACE_MARKUP": [("10%", {}, "not an amount"), ("0", {}, "cost nothing")],
    "MARKETPLACE_LOCAL_MODEL": [("true", {}, "allowed: on, off")],
    "MARKETPLACE_OWN_KEYS_AT_KEYLESS": [("1", {}, "allowed: on, off")],
    "MARKETPLACE_OUTBOUND": [("curl", {}, "allowed: lean, aiohttp")],
    "MARKETPLACE_LOG_LEVEL": [("loud", {}, "allowed: debug, info")],
    "MARKETPLACE_GRACE": [("0", {}, "from 1 to 3600")],
    "MARKETPLACE_LOG_FORMAT": [("xml", {}, "allowed: text, json")],
    "MARKETPLACE_HOLD_TTL": [("1", {}, "from 2 to 3600")],
    "MARKETPLACE_AGENT_SHARE": [("101", {}, "from 0 to 100")],
    "MARKETPLACE_HEAD_FILE": [("/etc/passwd/none/head", {}, "can't be written"), ("DATA/head", {}, "beside the database")],
    "MARKETPLACE_ARCHIVE_DAYS": [("59", {}, "60"), ("a year", {}, "whole number")],
    "MARKETPLACE_ARCHIVE_DIR": [("/etc/passwd/none", {}, "can't be written")],
    "MARKETPLACE_ABSORBED_LIMIT": [("nan", {}, "not an amount")],
    "MARKETPLACE_LOWER_MAX_TOKENS": [("yes", {}, "allowed: on, off")],
    "MARKETPLACE_PRIVATE_TOOLS": [("yes", {}, "allowed: on, off")],
    "MARKETPLACE_TOOL_COMMANDS": [("/etc/passwd/none", {}, "Not a directory"), ("/etc/passwd", {}, "Expected")],
    "MARKETPLACE_A2A_0_3": [("yes", {}, "allowed: on, off")],
    "MARKETPLACE_OLLAMA_KEYLESS": [("sk-of-openai", {}, "no marketplace key")],
    "MARKETPLACE_OLLAMA_KEYLESS_MODELS": [
        ("some", {}, "allowed: free, all"), ("all", {}, "without MARKETPLACE_OLLAMA_KEYLESS"),
    ],
    "STRIPE_SECRET_KEY": [
        ("sk_test_x", {}, "needed together"), ("pk_test_x", {**STRIPE, "STRIPE_SECRET_KEY": "pk_test_x"}, "begin with sk_"),
    ],
    "STRIPE_WEBHOOK_SECRET": [("whsec_x", {}, "needed together"), ("sk_test_x", STRIPE, "begin with whsec_")],
    "MARKETPLACE_STRIPE_URL": [("stripe", {}, "must start with http"), ("https://s.example", {}, "without STRIPE_SECRET_KEY")],
    "MARKETPLACE_PAYMENT_SECRET": [("short", {}, "fewer than 32"), ("x" * 40, {}, "nobody can order")],
    "MARKETPLACE_PAYMENT_URL": [("https://p.example", NOTICES, "needs {order}"), ("https://p.example/{order}", {}, "beside it")],
    "MARKETPLACE_ISSUER": [("Us", {}, "no way to pay")],
    "MARKETPLACE_TOPUP_LEAST": [("0", {}, "above 0"), ("2000", {}, "in this order"), ("5", {}, "no way to pay")],
    "MARKETPLACE_RECHARGE": [("maybe", {}, "on, off"), ("off", {}, "without STRIPE_SECRET_KEY")],
    "MARKETPLACE_SETTLE_TYPES": [("maybe", {}, "on, off")],
    "MARKETPLACE_TOPUP_MOST": [("2000000", {}, "1,000,000 dollars"), ("9", {}, "no way to pay")],
    "MARKETPLACE_REFUND_DAYS": [("14 days", {}, "whole number"), ("9", {}, "no way to pay")],
    "MARKETPLACE_MAIL": [("pigeon", {}, "allowed: auto"), ("smtp", {}, "needs MARKETPLACE_SMTP_URL")],
    "MARKETPLACE_SMTP_URL": [
        ("http://x", SMTP, "smtps://"), ("smtp+plain://u:p@h", SMTP, "in the clear"), ("smtp://h/x", SMTP, "nothing behind it"),
        ("smtp://h", {}, "together"), ("smtp://h", {**SMTP, "MARKETPLACE_MAIL": "none"}, "no effect"),
    ],
    "MARKETPLACE_MAIL_FROM": [("nobody", SMTP, "no address"), ("m@m.example", {}, "no effect")],
    "MARKETPLACE_SIGNUP_CONFIRM": [("yes", {}, "allowed: on, off"), ("on", {}, "no mail leaves")],
    "MARKETPLACE_NODES": [("0", {}, "from 1"), ("2", {}, "SQLite serves one process")],
    "MARKETPLACE_SITE": [("m.example", {}, "must start with http"), ("http://m.example", STRIPE, "not https://")],
    "MARKETPLACE_FRAME_ANCESTORS": [("'self'; script-src *", {}, "is none of")],
    "MARKETPLACE_CORS_ORIGINS": [("app.example.com", {}, "no origin"), ("*,https://a.b", {}, "nor * alone")],
    "MARKETPLACE_METRICS": [("closed", {}, "allowed: local, open")],
    "MARKETPLACE_METRICS_TOKEN": [("x", {"MARKETPLACE_METRICS": "open"}, "everybody reads them")],
    "OTEL_EXPORTER_OTLP_ENDPOINT": [("collector:4318", {}, "must start with http")],
    "OLLAMA_HOST": [("host:port", {}, "port is not a number")],
    "OPENAI_BASE_URL": [("host:8000", {}, "must start with http")],
    "ANTHROPIC_BASE_URL": [("host:8000", {}, "must start with http")],
    "GOOGLE_GEMINI_BASE_URL": [("host:8000", {}, "must start with http")],
    "HF_BASE_URL": [("host:8000", {}, "must start with http")],
}  # fmt: skip
# Any text is right: whether it is the right one only those know who are asked with it.
ANY = {
    "MARKETPLACE_TRANSFER", "FORWARDED_ALLOW_IPS", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "HF_TOKEN",
}  # fmt: skip
CASES = [(name, *case) for name, cases in WRONG.items() for case in cases]


def here(tmp_path: Path, **env: str) -> dict[str, str]:
    places = {"MARKETPLACE_DATA_DIR": str(tmp_path), "MARKETPLACE_MODELS_DIR": str(tmp_path)}
    return places | {name: value.replace("DATA", str(tmp_path)) for name, value in env.items()}


def documented() -> set[str]:
    """Every variable in the tables of docs/configuration.md."""
    rows = [line for line in DOCS.read_text().splitlines() if line.startswith("|")]
    return {
        name
        for row in rows
        for cell in row.split("|")[1 : 2 if "MARKETPLACE" in row else 4]
        for name in re.findall(r"`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)`", cell)
    }


@pytest.mark.parametrize(("name", "value", "more", "words"), CASES)
def test_a_wrong_setting_is_named(
    tmp_path: Path, name: str, value: str, more: dict[str, str], words: str
) -> None:
    _, found = doctor_settings.examine(here(tmp_path, **{**more, name: value}))
    short = name.removeprefix("MARKETPLACE_TOPUP").removeprefix("MARKETPLACE_")
    assert any(short in said and words in said for said in found), found


def test_every_setting_has_a_wrong_value_here() -> None:
    known = set(WRONG) | ANY
    assert KNOWN - known == set()
    assert documented() - known == set()
    assert KNOWN - documented() == set()


def test_all_that_is_wrong_is_named_at_once_and_what_is_right_is_not(tmp_path: Path) -> None:
    wrong = {
        "MARKETPLACE_MARKET": "1", "MARKETPLACE_SIGNUPS": "open", "MARKETPLACE_GRACE": "long", "MARKETPLACE_LIMITS": "perhaps",
        "STRIPE_SECRET_KEY": "sk_test_x", "MARKETPLACE_MAIL": "smtp", "JWT_SECRET": "short", "MARKETPLACE_NODES": "3",
    }  # fmt: skip
    settings, found = doctor_settings.examine(here(tmp_path, **wrong))
    assert settings is None
    text = "\n".join(found)
    assert "MARKETPLACE_SIGNUPS is no setting; did you mean MARKETPLACE_SIGNUP?" in found
    for part in (
        "MARKETPLACE_MARKET is no",
        "GRACE",
        "LIMITS",
        "STRIPE_SECRET_KEY",
        "Mail needs",
        "JWT_SECRET",
        "NODES",
    ):
        assert part in text
    right = here(
        tmp_path, **(STRIPE | SMTP | NOTICES), MARKETPLACE_TRANSFER="IBAN", MARKETPLACE_HEAD_FILE="/tmp/head"
    )
    right |= {"JWT_SECRET": SECRET, "MARKETPLACE_SIGNUP_CONFIRM": "on"}
    settings, found = doctor_settings.examine(right)
    assert (settings is None, found) == (False, [])
    assert doctor_settings.examine(here(tmp_path))[1] == []


def test_secrets_that_postgresql_needs_are_missed(tmp_path: Path) -> None:
    _, found = doctor_settings.examine(here(tmp_path, DATABASE_URL="postgresql://u@h/x"))
    assert [words.split(" ")[0] for words in found if "is missing" in words] == [
        "JWT_SECRET",
        "ENCRYPTION_KEY",
    ]


def test_what_nobody_answers_at_is_named(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{closed.getsockname()[1]}"
        env = here(
            tmp_path, **{**STRIPE, **SMTP, "MARKETPLACE_SITE": f"http://{address}", "MARKETPLACE_SMTP_URL": f"smtp://{address}"},
            MARKETPLACE_STRIPE_URL=f"http://{address}", OTEL_EXPORTER_OTLP_ENDPOINT=f"http://{address}",
        )  # fmt: skip
        found = doctor_reach.examine(load(env))
    names = [
        "MARKETPLACE_SMTP_URL",
        "MARKETPLACE_STRIPE_URL",
        "MARKETPLACE_SITE",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
    ]
    assert [re.split("[: ]", words)[0] for words in found] == names


def test_the_command_says_it_and_ends_with_1(tmp_path: Path) -> None:
    ran = CliRunner().invoke(app, ["doctor", "--offline"], env=here(tmp_path, MARKETPLACE_GRACE="long"))
    assert (ran.exit_code, "MARKETPLACE_GRACE is 'long'" in ran.output) == (1, True)
