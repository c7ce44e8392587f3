"""What is wrong with the settings, every thing at once and in words: the server stops at the first one. Looks at values only."""

import difflib
import importlib.util
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from agent_marketplace import settings as known
from agent_marketplace.providers.endpoints import EndpointTable
from agent_marketplace.runs.mcp import stdio
from agent_marketplace.settings import Settings, SettingsError
from agent_marketplace.vault.keyring import Keyring
from agent_marketplace.vault.own_secrets import check_secret

_NAME = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_SHARED = ("MARKETPLACE_SITE", "MARKETPLACE_MAIL")  # named by others' problems: taken out last
_DEAD = "has no effect"


def examine(env: Mapping[str, str]) -> tuple[Settings | None, list[str]]:
    """(the settings, if they can be used as they are; every problem)"""
    strange = {name for name in env if name.startswith("MARKETPLACE_") and name not in known.KNOWN}
    problems = [_unknown(name) for name in sorted(strange)]
    rest = {name: value for name, value in env.items() if name not in strange}
    settings = None
    while settings is None:
        try:
            settings = known.load(rest)
        except SettingsError as error:
            words = str(error)
            if words not in problems:
                problems.append(words)
            if (culprit := _culprit(words, rest)) is None:
                return None, problems
            del rest[culprit]
    problems += _more(env, settings)
    return (settings if rest == dict(env) else None), problems


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, sorted(known.KNOWN), 1)
    return f"{name} is no setting" + (f"; did you mean {near[0]}?" if near else "")


def _culprit(words: str, env: Mapping[str, str]) -> str | None:
    """The setting to leave out so that the others can be looked at too."""
    named = [name for name in _NAME.findall(words) if env.get(name)]
    if "Mail needs" in words:
        named.append("MARKETPLACE_MAIL")
    first = [name for name in named if name not in _SHARED or words.startswith(name)]
    found = [name for name in (*first, *named) if name in env]
    return found[0] if found else None


def _more(env: Mapping[str, str], settings: Settings) -> Iterator[str]:
    """What can be read and can't be meant. settings: those that could be read."""
    yield from _secrets(env, settings)
    yield from _money(env, settings)
    yield from _idle(env, settings)
    yield from _places(settings)
    for read in (lambda: EndpointTable(settings, env), lambda: stdio.declared(settings.tool_commands)):
        try:
            read()
        except SettingsError as error:
            yield str(error)
    for endpoint in ("OPENAI", "ANTHROPIC", "HF"):
        yield from _address(env, f"{endpoint}_BASE_URL")
    yield from _address(env, "GOOGLE_GEMINI_BASE_URL")


def _address(env: Mapping[str, str], name: str) -> Iterator[str]:
    url = (env.get(name) or "").strip()
    if url and not url.startswith(("http://", "https://")):
        yield f"{name} is {url[:80]!r}; it must start with http:// or https://"


def _secrets(env: Mapping[str, str], settings: Settings) -> Iterator[str]:
    for name, given in (("JWT_SECRET", settings.jwt_secret), ("ENCRYPTION_KEY", settings.encryption_keys)):
        if not given and not settings.embedded:
            yield f"{name} is missing: on PostgreSQL the server makes no secrets of its own"
    if settings.jwt_secret is not None:
        try:
            check_secret("JWT_SECRET", settings.jwt_secret)
        except SettingsError as error:
            yield str(error)
    if settings.encryption_keys:
        try:
            Keyring(settings.encryption_keys)
        except SettingsError as error:
            yield str(error)
    for name, starts in (("STRIPE_SECRET_KEY", ("sk_", "rk_")), ("STRIPE_WEBHOOK_SECRET", ("whsec_",))):
        value = env.get(name)
        if value and not value.startswith(starts):
            yield f"{name} does not begin with {' or '.join(starts)}: is it another of Stripe's values?"


def _money(env: Mapping[str, str], settings: Settings) -> Iterator[str]:
    pay = settings.payments
    if pay.stripe_key and importlib.util.find_spec("stripe") is None:
        yield "STRIPE_SECRET_KEY needs: pip install 'ai-agent-marketplace[stripe]'"
    if pay.stripe_key and not (settings.site or "").startswith("https://"):
        yield "MARKETPLACE_SITE is not https://: Stripe sends its events to https:// addresses only"
    if pay.stripe_url and not pay.stripe_key:
        yield f"MARKETPLACE_STRIPE_URL {_DEAD} without STRIPE_SECRET_KEY"
    if pay.secret and not pay.url:
        yield "MARKETPLACE_PAYMENT_SECRET takes notices, but without MARKETPLACE_PAYMENT_URL nobody can order that way"
    if not pay.methods:
        for name in (
            "MARKETPLACE_ISSUER",
            "MARKETPLACE_TOPUP_LEAST",
            "MARKETPLACE_TOPUP_MOST",
            "MARKETPLACE_REFUND_DAYS",
        ):
            if env.get(name):
                yield f"{name} {_DEAD}: no way to pay is set (cards, transfers, or a page of your own)"
    if env.get("MARKETPLACE_RECHARGE") and not pay.stripe_key:
        yield f"MARKETPLACE_RECHARGE {_DEAD} without STRIPE_SECRET_KEY"
    if settings.signup_credit_nano > settings.signup_credit_daily_nano:
        yield "MARKETPLACE_SIGNUP_CREDIT is more than MARKETPLACE_SIGNUP_CREDIT_DAILY allows in a day: nobody gets it whole"
    if settings.markup == 0:
        yield "MARKETPLACE_MARKUP is 0: calls on the operator's keys cost nothing"


def _idle(env: Mapping[str, str], settings: Settings) -> Iterator[str]:
    if settings.mail.confirm and settings.mail.mode == "none":
        yield "MARKETPLACE_SIGNUP_CONFIRM is on, but no mail leaves: every newcomer waits for an administrator to hand on the link"
    if settings.mail.mode != "smtp":
        for name in ("MARKETPLACE_SMTP_URL", "MARKETPLACE_MAIL_FROM"):
            if env.get(name):
                yield f"{name} {_DEAD}: MARKETPLACE_MAIL is {settings.mail.mode}"
    if settings.ollama_keyless is None and env.get("MARKETPLACE_OLLAMA_KEYLESS_MODELS"):
        yield f"MARKETPLACE_OLLAMA_KEYLESS_MODELS {_DEAD} without MARKETPLACE_OLLAMA_KEYLESS"
    if settings.ollama_keyless and not settings.ollama_keyless.startswith("sk-aam-"):
        yield "MARKETPLACE_OLLAMA_KEYLESS is no marketplace key (sk-aam-...)"
    if settings.metrics_token and settings.metrics == "open":
        yield f"MARKETPLACE_METRICS_TOKEN {_DEAD}: MARKETPLACE_METRICS is open, everybody reads them"
    if settings.nodes > 1 and settings.embedded:
        yield "MARKETPLACE_NODES is more than 1, but SQLite serves one process: set DATABASE_URL to a PostgreSQL"
    if settings.otlp_endpoint and importlib.util.find_spec("opentelemetry.sdk") is None:
        yield "OTEL_EXPORTER_OTLP_ENDPOINT needs: pip install 'ai-agent-marketplace[otel]'"
    if settings.signup == "closed" and env.get("MARKETPLACE_SIGNUP_CREDIT"):
        yield f"MARKETPLACE_SIGNUP_CREDIT {_DEAD}: MARKETPLACE_SIGNUP is closed"


def _places(settings: Settings) -> Iterator[str]:
    for name, path in (
        ("MARKETPLACE_DATA_DIR", settings.data_dir),
        ("MARKETPLACE_MODELS_DIR", settings.models_dir),
        ("MARKETPLACE_ARCHIVE_DIR", settings.archive_folder),
        ("MARKETPLACE_HEAD_FILE", settings.head_file and settings.head_file.parent),
    ):
        if path is not None and not _writable(path):
            yield f"{name}: {path} can't be written"
    if settings.head_file is not None and settings.head_file.parent == settings.data_dir:
        yield "MARKETPLACE_HEAD_FILE lies beside the database: whoever can edit the one can edit the other"


def _writable(path: Path) -> bool:
    """Whether it is a folder to write into, or can be made one."""
    there = next((p for p in (path, *path.parents) if p.exists()), Path("/"))
    return there.is_dir() and os.access(there, os.W_OK)
