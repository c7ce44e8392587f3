"""Every setting, read once from the environment and checked before anything starts. No secret has a default value."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from email.utils import formataddr, parseaddr
from pathlib import Path
from typing import Any, Literal, cast, get_args
from urllib.parse import unquote, urlsplit

SignupMode = Literal["open", "invite", "closed"]
CreditUse = Literal["all", "free"]


class SettingsError(ValueError):
    """A setting is unknown or has an impossible value; the message names it and what is allowed."""


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """The operator's own key and base URL of one provider; None = the public default, no key."""

    key: str | None = field(default=None, repr=False)
    base_url: str | None = None


@dataclass(frozen=True, slots=True)
class PaymentSettings:
    """How money comes in. secret: signs notices to our webhook; url: the operator's own page to pay at; transfer: instructions;
    issuer: who receipts are from; refund_days: for how long what is unused can be asked back; recharge: saved cards may be charged."""

    secret: str | None = field(default=None, repr=False)
    url: str | None = None
    transfer: str | None = None
    issuer: str | None = None
    least_nano: int = 5_000_000_000
    most_nano: int = 1_000_000_000_000
    refund_days: int = 14
    recharge: bool = True
    stripe_key: str | None = field(default=None, repr=False)
    stripe_webhook_secret: str | None = field(default=None, repr=False)
    stripe_url: str | None = None

    @property
    def methods(self) -> tuple[str, ...]:
        """How an order can be paid here."""
        offered = {"stripe": self.stripe_key, "webhook": self.secret and self.url, "transfer": self.transfer}
        return tuple(name for name, there in offered.items() if there)


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail is handed over. tls: `tls` from the first byte, `starttls` or nothing is sent, `none` in the clear."""

    host: str
    port: int
    tls: Literal["tls", "starttls", "none"]
    user: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class MailSettings:
    """How mail leaves: by a mail server, into the log (`console`), or not at all. confirm: sign-up credit waits until the address is
    confirmed."""

    mode: Literal["smtp", "console", "none"] = "none"
    sender: str | None = None
    smtp: SmtpServer | None = None
    confirm: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. Money in nano-dollars; times in seconds; paths absolute.

    providers: keys and base URLs in place of those of the environment, which `providers.endpoints` reads.
    given: names of the variables that were set: an administrator can't change those in the console.
    """

    data_dir: Path
    models_dir: Path
    database_url: str
    jwt_secret: str | None = field(default=None, repr=False)
    encryption_keys: tuple[str, ...] = field(default=(), repr=False)
    signup: SignupMode = "open"
    signup_credit_nano: int = 5_000_000_000
    signup_credit_daily_nano: int = 500_000_000_000
    signup_credit_use: CreditUse = "all"
    rate_limits: bool = True
    calls_per_user: int = 64
    credits_per_address: int = 10
    storage_per_user: int = 200_000_000  # bytes
    site: str | None = None
    cors_origins: tuple[str, ...] = ()
    frame_ancestors: tuple[str, ...] = ()
    metrics: Literal["local", "open"] = "local"
    metrics_token: str | None = field(default=None, repr=False)
    provider_connections: int = 512
    providers: Mapping[str, ProviderSettings] = field(default_factory=dict)
    ollama_host: str | None = None
    markup: Decimal = Decimal(1)
    local_model: bool = True
    outbound: Literal["lean", "aiohttp"] = "lean"
    own_keys_at_keyless: bool = False
    log_level: str = "info"
    grace_s: float = 30.0
    hold_ttl_s: float = 50.0
    absorbed_limit_nano: int = 10**9
    agent_author_bp: int = 8_000
    head_file: Path | None = None
    archive_days: int = 0
    archive_folder: Path | None = None
    lower_max_tokens: bool = True
    settle_types: bool = False
    private_tools: bool = False
    tool_commands: Path | None = None
    a2a_legacy: bool = False
    ollama_keyless: str | None = field(default=None, repr=False)
    ollama_keyless_models: Literal["free", "all"] = "free"
    nodes: int = 1
    log_format: Literal["text", "json"] = "text"
    otlp_endpoint: str | None = None
    payments: PaymentSettings = field(default_factory=PaymentSettings)
    mail: MailSettings = field(default_factory=MailSettings)
    given: frozenset[str] = frozenset()

    @property
    def embedded(self) -> bool:
        """True where the server keeps its own SQLite file and may make its own secrets."""
        return self.database_url.startswith("sqlite")

    @property
    def archive_dir(self) -> Path:
        """Where the files with archived requests are."""
        return self.archive_folder or self.data_dir / "archive"


_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
_ANCESTOR = re.compile(
    r"\*|[a-z][a-z0-9+.-]*:(?://(?:(?:\*\.)?[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?:[0-9]{1,5}|\*))?)?"
)

KNOWN = {
    "MARKETPLACE_A2A_0_3", "MARKETPLACE_ABSORBED_LIMIT", "MARKETPLACE_AGENT_SHARE", "MARKETPLACE_ARCHIVE_DAYS", "MARKETPLACE_ARCHIVE_DIR",
    "MARKETPLACE_CALLS_PER_USER", "MARKETPLACE_CORS_ORIGINS", "MARKETPLACE_DATA_DIR", "MARKETPLACE_FRAME_ANCESTORS", "MARKETPLACE_GRACE",
    "MARKETPLACE_HEAD_FILE", "MARKETPLACE_HOLD_TTL", "MARKETPLACE_ISSUER", "MARKETPLACE_LIMITS", "MARKETPLACE_LOCAL_MODEL",
    "MARKETPLACE_LOG_FORMAT", "MARKETPLACE_LOG_LEVEL", "MARKETPLACE_LOWER_MAX_TOKENS", "MARKETPLACE_MAIL", "MARKETPLACE_MAIL_FROM",
    "MARKETPLACE_MARKUP", "MARKETPLACE_METRICS", "MARKETPLACE_METRICS_TOKEN", "MARKETPLACE_MODELS_DIR", "MARKETPLACE_NODES",
    "MARKETPLACE_OLLAMA_KEYLESS", "MARKETPLACE_OLLAMA_KEYLESS_MODELS", "MARKETPLACE_OUTBOUND", "MARKETPLACE_OWN_KEYS_AT_KEYLESS",
    "MARKETPLACE_PAYMENT_SECRET", "MARKETPLACE_PAYMENT_URL", "MARKETPLACE_PRIVATE_TOOLS", "MARKETPLACE_PROVIDER_CONNECTIONS",
    "MARKETPLACE_RECHARGE", "MARKETPLACE_REFUND_DAYS", "MARKETPLACE_SETTLE_TYPES", "MARKETPLACE_SIGNUP", "MARKETPLACE_SIGNUP_CONFIRM",
    "MARKETPLACE_SIGNUP_CREDIT", "MARKETPLACE_SIGNUP_CREDITS_PER_ADDRESS", "MARKETPLACE_SIGNUP_CREDIT_DAILY",
    "MARKETPLACE_SIGNUP_CREDIT_USE", "MARKETPLACE_SITE", "MARKETPLACE_SMTP_URL", "MARKETPLACE_STORAGE_PER_USER", "MARKETPLACE_STRIPE_URL",
    "MARKETPLACE_TOOL_COMMANDS", "MARKETPLACE_TOPUP_LEAST", "MARKETPLACE_TOPUP_MOST", "MARKETPLACE_TRANSFER",
}  # fmt: skip


def nano(text: str) -> int:
    """Dollars as text to nano-dollars. Raises SettingsError on anything but a finite amount >= 0 with <= 9 places."""
    try:
        amount = Decimal(text)
        if not amount.is_finite() or amount < 0 or amount != amount.quantize(Decimal("1e-9")):
            raise SettingsError(f"{text!r} is not an amount of dollars with at most 9 decimal places")
        return int(amount.scaleb(9))
    except InvalidOperation:
        raise SettingsError(f"{text!r} is not an amount of dollars") from None


def _choice(env: Mapping[str, str], name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = env.get(name, default).strip().lower()
    if value not in allowed:
        raise SettingsError(f"{name} is {value!r}; allowed: {', '.join(allowed)}")
    return value


def _switch(env: Mapping[str, str], name: str, default: str) -> bool:
    return _choice(env, name, default, ("on", "off")) == "on"


def _amount(env: Mapping[str, str], name: str, default: str) -> int:
    try:
        return nano(env.get(name, default))
    except SettingsError as error:
        raise SettingsError(f"{name}: {error}") from None


def base_url(env: Mapping[str, str], name: str) -> str | None:
    """A URL without a slash at its end, None where the variable is empty. Raises SettingsError."""
    url = (env.get(name) or "").strip().rstrip("/")
    if url and not url.startswith(("http://", "https://")):
        raise SettingsError(f"{name} is {url[:80]!r}; it must start with http:// or https://")
    return url or None


def _origins(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Origins as browsers send them, in lower case; `*` stands for all of them and therefore alone."""
    found = tuple(o.strip().rstrip("/").lower() for o in env.get(name, "").split(",") if o.strip())
    for origin in found:
        if not (_ORIGIN.fullmatch(origin) or (origin == "*" and len(found) == 1)):
            raise SettingsError(
                f"{name}: {origin[:80]!r} is no origin (https://app.example.com), nor * alone"
            )
    return found


def _ancestors(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Whose pages may frame ours, as a Content-Security-Policy writes them; nothing that could end the directive."""
    found = tuple(o.strip().rstrip("/").lower() for o in env.get(name, "").split(",") if o.strip())
    for origin in found:
        if not _ANCESTOR.fullmatch(origin):
            raise SettingsError(
                f"{name}: {origin[:80]!r} is none of https://app.example.com, https://*.example.com, "
                "vscode-webview: or *"
            )
    return found


def _whole(env: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = env.get(name, str(default)).strip()
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise SettingsError(f"{name} is {text[:40]!r}; allowed: a whole number from {least} to {most}")
    return int(text)


def _path(env: Mapping[str, str], name: str) -> Path | None:
    return Path(text).expanduser().absolute() if (text := env.get(name)) else None


def _days(env: Mapping[str, str], name: str, least: int) -> int:
    """0 = off, otherwise at least `least`."""
    days = _whole(env, name, 0, 0, 36_500)
    if 0 < days < least:
        raise SettingsError(f"{name} is {days}; allowed: 0 (off), or from {least} to 36500")
    return days


def _payments(env: Mapping[str, str]) -> PaymentSettings:
    secret = env.get("MARKETPLACE_PAYMENT_SECRET") or None
    if secret is not None and len(secret) < 32:
        raise SettingsError("MARKETPLACE_PAYMENT_SECRET has fewer than 32 characters")
    url = base_url(env, "MARKETPLACE_PAYMENT_URL")
    if url is not None and ("{order}" not in url or secret is None):
        raise SettingsError(
            "MARKETPLACE_PAYMENT_URL needs {order} in it, and MARKETPLACE_PAYMENT_SECRET beside it"
        )
    keys = [env.get(name) or None for name in ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET")]
    if any(keys) and not (all(keys) and env.get("MARKETPLACE_SITE")):
        raise SettingsError(
            "STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET and MARKETPLACE_SITE are needed together"
        )
    found = PaymentSettings(
        secret=secret,
        url=url,
        **{
            field.removeprefix(_PAYMENTS): read(env)
            for field, read in CHANGEABLE.values()
            if field.startswith(_PAYMENTS)
        },
        stripe_key=keys[0],
        stripe_webhook_secret=keys[1],
        stripe_url=base_url(env, "MARKETPLACE_STRIPE_URL"),
    )
    check_topups(found)
    return found


def check_topups(payments: PaymentSettings) -> None:
    """Raises SettingsError unless there is an amount that can be ordered."""
    if not 0 < payments.least_nano <= payments.most_nano <= 10**15:
        raise SettingsError(
            "MARKETPLACE_TOPUP_LEAST and _MOST: from above 0 to at most 1,000,000 dollars, in this order"
        )


_SMTP: dict[str, tuple[Literal["tls", "starttls", "none"], int]] = {
    "smtps": ("tls", 465),
    "smtp": ("starttls", 587),
    "smtp+plain": ("none", 25),
}


def _smtp(text: str) -> SmtpServer:
    """`smtps://user:password@host:port`; `smtp://` = STARTTLS, `smtp+plain://` = in the clear, without a password. Raises SettingsError."""
    try:
        url = urlsplit(text)
        tls, port = _SMTP[url.scheme]
        port = url.port or port
    except (KeyError, ValueError):
        raise SettingsError(
            "MARKETPLACE_SMTP_URL is not smtps://, smtp:// or smtp+plain:// with a host and a port "
            "(percent-encode `:/?#[]@%` in a password)"
        ) from None
    if not url.hostname or url.path.strip("/") or url.query:
        raise SettingsError("MARKETPLACE_SMTP_URL needs a host, and nothing behind it")
    if url.password and tls == "none":
        raise SettingsError(
            "MARKETPLACE_SMTP_URL would send its password in the clear: use smtp:// or smtps://"
        )
    user, password = (unquote(part) if part else None for part in (url.username, url.password))
    return SmtpServer(url.hostname, port, tls, user, password)


def _mail(env: Mapping[str, str]) -> MailSettings:
    mode = _choice(env, "MARKETPLACE_MAIL", "auto", ("auto", "smtp", "console", "none"))
    url = (env.get("MARKETPLACE_SMTP_URL") or "").strip()
    if mode == "auto":
        mode = "smtp" if url else "none"
    sender = (env.get("MARKETPLACE_MAIL_FROM") or "").strip() or None
    if sender is not None:
        words, address = parseaddr(sender)
        if not re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", address) or not sender.isprintable():
            raise SettingsError("MARKETPLACE_MAIL_FROM is no address: Market <market@example.com>")
        sender = formataddr((words, address))
    if mode == "smtp" and not (url and sender and env.get("MARKETPLACE_SITE")):
        raise SettingsError(
            "Mail needs MARKETPLACE_SMTP_URL, MARKETPLACE_MAIL_FROM and MARKETPLACE_SITE together"
        )
    return MailSettings(
        mode=cast("Literal['smtp', 'console', 'none']", mode),
        sender=sender,
        smtp=_smtp(url) if url else None,
        confirm=_switch(env, "MARKETPLACE_SIGNUP_CONFIRM", "off"),
    )


def _limited(env: Mapping[str, str]) -> bool:
    return _switch(env, "MARKETPLACE_LIMITS", "on")


def _text(env: Mapping[str, str], name: str, most: int) -> str | None:
    return (env.get(name) or "").strip()[:most] or None


_PAYMENTS = "payments."  # fields of `Settings.payments`

# Settings that an administrator can change while servers run, where the environment says nothing: variable -> (field, reader).
CHANGEABLE: Mapping[str, tuple[str, Callable[[Mapping[str, str]], Any]]] = {
    "MARKETPLACE_SIGNUP": (
        "signup",
        lambda env: _choice(env, "MARKETPLACE_SIGNUP", "open", get_args(SignupMode)),
    ),
    "MARKETPLACE_SIGNUP_CREDIT": (
        "signup_credit_nano",
        lambda env: _amount(env, "MARKETPLACE_SIGNUP_CREDIT", "5"),
    ),
    "MARKETPLACE_SIGNUP_CREDIT_DAILY": (
        "signup_credit_daily_nano",
        lambda env: _amount(env, "MARKETPLACE_SIGNUP_CREDIT_DAILY", "500"),
    ),
    "MARKETPLACE_SIGNUP_CREDITS_PER_ADDRESS": (
        "credits_per_address",
        lambda env: _whole(
            env, "MARKETPLACE_SIGNUP_CREDITS_PER_ADDRESS", 10 if _limited(env) else 0, 0, 1000
        ),
    ),
    "MARKETPLACE_LIMITS": ("rate_limits", _limited),
    "MARKETPLACE_CALLS_PER_USER": (
        "calls_per_user",
        lambda env: _whole(env, "MARKETPLACE_CALLS_PER_USER", 64 if _limited(env) else 0, 0, 1_000_000),
    ),
    "MARKETPLACE_MARKUP": (
        "markup",
        lambda env: Decimal(_amount(env, "MARKETPLACE_MARKUP", "1")).scaleb(-9),
    ),
    "MARKETPLACE_TRANSFER": ("payments.transfer", lambda env: _text(env, "MARKETPLACE_TRANSFER", 2000)),
    "MARKETPLACE_ISSUER": ("payments.issuer", lambda env: _text(env, "MARKETPLACE_ISSUER", 500)),
    "MARKETPLACE_TOPUP_LEAST": (
        "payments.least_nano",
        lambda env: _amount(env, "MARKETPLACE_TOPUP_LEAST", "5"),
    ),
    "MARKETPLACE_TOPUP_MOST": (
        "payments.most_nano",
        lambda env: _amount(env, "MARKETPLACE_TOPUP_MOST", "1000"),
    ),
    "MARKETPLACE_REFUND_DAYS": (
        "payments.refund_days",
        lambda env: _whole(env, "MARKETPLACE_REFUND_DAYS", 14, 0, 3650),
    ),
    "MARKETPLACE_RECHARGE": ("payments.recharge", lambda env: _switch(env, "MARKETPLACE_RECHARGE", "on")),
}


def changed(settings: Settings, chosen: Mapping[str, str]) -> Settings:
    """The settings with some of CHANGEABLE as an administrator chose them. Raises SettingsError."""
    for name in chosen:
        field, read = CHANGEABLE[name]
        if field.startswith(_PAYMENTS):
            payments = replace(settings.payments, **{field.removeprefix(_PAYMENTS): read(chosen)})
            settings = replace(settings, payments=payments)
        else:
            settings = replace(settings, **{field: read(chosen)})
    return settings


def text_of(settings: Settings, name: str) -> str:
    """One of CHANGEABLE as it would stand in the environment."""
    field = CHANGEABLE[name][0]
    of_payments = field.startswith(_PAYMENTS)
    value = getattr(settings.payments if of_payments else settings, field.removeprefix(_PAYMENTS))
    if value is None:
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    if field.endswith("_nano"):
        return format(Decimal(value).scaleb(-9).normalize(), "f")
    return format(value.normalize(), "f") if isinstance(value, Decimal) else str(value)


def _cache_home(env: Mapping[str, str]) -> Path:
    return Path(env.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "agent-marketplace"


def _data_home(env: Mapping[str, str]) -> Path:
    return Path(env.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "agent-marketplace"


def load(env: Mapping[str, str] | None = None) -> Settings:
    """Reads the environment. Raises SettingsError with words that name the variable."""
    env = os.environ if env is None else env
    unknown = sorted(k for k in env if k.startswith("MARKETPLACE_") and k not in KNOWN)
    if unknown:
        raise SettingsError(f"unknown setting {unknown[0]}; known: {', '.join(sorted(KNOWN))}")
    data_dir = Path(env.get("MARKETPLACE_DATA_DIR") or _data_home(env)).expanduser().absolute()
    url = _database_url(env.get("DATABASE_URL") or f"sqlite:///{data_dir / 'marketplace.db'}")
    keys = tuple(k.strip() for k in env.get("ENCRYPTION_KEY", "").split(",") if k.strip())
    embedded = url.startswith("sqlite")
    return Settings(
        data_dir=data_dir,
        models_dir=Path(env.get("MARKETPLACE_MODELS_DIR") or _cache_home(env) / "models")
        .expanduser()
        .absolute(),
        database_url=url,
        jwt_secret=env.get("JWT_SECRET") or None,
        encryption_keys=keys,
        given=frozenset(name for name in KNOWN if env.get(name)),
        **{field: read(env) for field, read in CHANGEABLE.values() if not field.startswith(_PAYMENTS)},
        signup_credit_use=cast(
            "CreditUse",
            _choice(env, "MARKETPLACE_SIGNUP_CREDIT_USE", "all" if embedded else "free", get_args(CreditUse)),
        ),
        storage_per_user=_whole(env, "MARKETPLACE_STORAGE_PER_USER", 200, 0, 1_000_000) * 1_000_000,
        site=base_url(env, "MARKETPLACE_SITE"),
        cors_origins=_origins(env, "MARKETPLACE_CORS_ORIGINS"),
        frame_ancestors=_ancestors(env, "MARKETPLACE_FRAME_ANCESTORS"),
        metrics=cast("Any", _choice(env, "MARKETPLACE_METRICS", "local", ("local", "open"))),
        metrics_token=env.get("MARKETPLACE_METRICS_TOKEN") or None,
        provider_connections=_whole(env, "MARKETPLACE_PROVIDER_CONNECTIONS", 512, 1, 65_535),
        ollama_host=env.get("OLLAMA_HOST") or None,
        local_model=_switch(env, "MARKETPLACE_LOCAL_MODEL", "on"),
        outbound=cast(
            "Literal['lean', 'aiohttp']", _choice(env, "MARKETPLACE_OUTBOUND", "lean", ("lean", "aiohttp"))
        ),
        own_keys_at_keyless=_switch(env, "MARKETPLACE_OWN_KEYS_AT_KEYLESS", "off"),
        log_level=_choice(env, "MARKETPLACE_LOG_LEVEL", "info", ("debug", "info", "warning", "error")),
        grace_s=_whole(env, "MARKETPLACE_GRACE", 30, 1, 3600),
        hold_ttl_s=_whole(env, "MARKETPLACE_HOLD_TTL", 50, 2, 3600),
        ollama_keyless=env.get("MARKETPLACE_OLLAMA_KEYLESS") or None,
        ollama_keyless_models=cast(
            "Literal['free', 'all']",
            _choice(env, "MARKETPLACE_OLLAMA_KEYLESS_MODELS", "free", ("free", "all")),
        ),
        lower_max_tokens=_switch(env, "MARKETPLACE_LOWER_MAX_TOKENS", "on"),
        settle_types=_switch(env, "MARKETPLACE_SETTLE_TYPES", "off"),
        private_tools=_switch(env, "MARKETPLACE_PRIVATE_TOOLS", "off"),
        tool_commands=_path(env, "MARKETPLACE_TOOL_COMMANDS"),
        a2a_legacy=_switch(env, "MARKETPLACE_A2A_0_3", "off"),
        agent_author_bp=_whole(env, "MARKETPLACE_AGENT_SHARE", 80, 0, 100) * 100,
        absorbed_limit_nano=_amount(env, "MARKETPLACE_ABSORBED_LIMIT", "1"),
        head_file=_path(env, "MARKETPLACE_HEAD_FILE"),
        archive_days=_days(env, "MARKETPLACE_ARCHIVE_DAYS", least=60),
        archive_folder=_path(env, "MARKETPLACE_ARCHIVE_DIR"),
        nodes=_whole(env, "MARKETPLACE_NODES", 1, 1, 10_000),
        payments=_payments(env),
        mail=_mail(env),
        otlp_endpoint=base_url(env, "OTEL_EXPORTER_OTLP_ENDPOINT"),
        log_format=cast(
            "Literal['text', 'json']", _choice(env, "MARKETPLACE_LOG_FORMAT", "text", ("text", "json"))
        ),
    )


def _database_url(url: str) -> str:
    """Plain `postgres://` and `postgresql://` name the driver that is installed; SQLite and PostgreSQL only."""
    try:
        _ = urlsplit(url).port
    except ValueError:
        raise SettingsError(
            "DATABASE_URL: the port is not a number (percent-encode `:/?#[]@%` in a password)"
        ) from None
    if url.rstrip("/") == "sqlite:":
        raise SettingsError("DATABASE_URL names no file: sqlite:////var/lib/marketplace/marketplace.db")
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url[len(prefix) :]
    if url.startswith(("sqlite:///", "postgresql+psycopg://")):
        return url
    raise SettingsError("DATABASE_URL must start with sqlite:///, postgresql:// or postgres://")
