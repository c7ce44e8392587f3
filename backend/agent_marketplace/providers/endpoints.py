"""Endpoints: a provider, where it is, whose key opens it: the known ones of `table` with the operator's settings on top."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from urllib.parse import urljoin, urlsplit

import msgspec

from agent_marketplace import rules as rulebook
from agent_marketplace.net.http import OutboundRequest, Timeouts
from agent_marketplace.providers import table
from agent_marketplace.providers.addresses import based
from agent_marketplace.providers.table import AbortRule, AuthStyle
from agent_marketplace.rules.book import WAITS, Row, RuleError, Rules, Traits, read_rows
from agent_marketplace.settings import ProviderSettings, Settings, SettingsError
from agent_marketplace.settings import base_url as given_url
from agent_marketplace.wires.base import Call, Codec, OutboundCall, WireName
from agent_marketplace.wires.fim.provider_side import Way
from agent_marketplace.wires.openai import vocabulary
from agent_marketplace.wires.openai.codec import OpenAICodec
from agent_marketplace.wires.openai.dialect import Dialect

OPERATORS_FILE = "providers.toml"
OLLAMA_DEFAULT = "127.0.0.1:11434"


class Revealable(Protocol):
    """A secret that shows its text only on request."""

    def reveal(self) -> str: ...


class DeclaredModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model that the operator says an endpoint serves. Context, output: tokens; prices: dollars per 1M tokens, as text.

    vision, tools, structured_output, reasoning: None = not said, so no call is refused for it here.
    first_byte_s, first_content_s: as in the rulebook, None = its provider's.
    """

    id: str
    name: str = ""
    context: int = 8192
    max_output: int | None = None
    vision: bool | None = None
    tools: bool | None = None
    structured_output: bool | None = None
    reasoning: bool | None = None
    embeddings: bool = False
    input_price: str = "0"
    output_price: str = "0"
    first_byte_s: float | None = None
    first_content_s: float | None = None


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One provider's address. allow_private: the operator set the base URL; abort_rule: does an abort stop the bill?
    own: the server is the operator's.

    options: fields of chat completions without a canonical name that go there on the operator's key. unstored: it is told to keep nothing.
    thinking_apart: it may count thinking on top of the length that it is told. resells: it is told the prices that it may pay.
    """

    name: str
    wire: WireName
    base_url: str
    auth: AuthStyle = "bearer"
    abort_rule: AbortRule = "unknown"
    headers: tuple[tuple[str, str], ...] = ()
    dialect: Dialect = Dialect()
    key: str | None = None
    needs_key: bool = True
    allow_private: bool = False
    own: bool = False
    byok: bool = True
    probe: str = ""
    models: tuple[DeclaredModel, ...] = ()
    options: frozenset[str] = frozenset()
    unstored: bool = False
    resells: bool = False
    thinking_apart: bool = False

    def __repr__(self) -> str:
        return f"Endpoint({self.name}, {self.wire}, {self.base_url}, key={'set' if self.key else 'none'})"

    __str__ = __repr__

    @property
    def configured(self) -> bool:
        """True where the operator can pay: a key is set, or none is needed."""
        return self.key is not None or not self.needs_key

    def url(self, path: str) -> str:
        """The address of a path below the base URL; one with a leading slash is of the whole server, an absolute URL stays."""
        if path.startswith("/"):
            return urljoin(self.base_url, path)
        return path if path.startswith("https://") else f"{self.base_url.rstrip('/')}/{path}"

    def auth_headers(self, secret: Revealable | None) -> dict[str, str]:
        """The header that proves who pays: the caller's own secret, or the operator's key."""
        key = secret.reveal() if secret is not None else self.key
        if key is None or self.auth == "none":
            return {}
        return {"authorization": f"Bearer {key}"} if self.auth == "bearer" else {self.auth: key}

    def address(self, call: OutboundCall, secret: Revealable | None) -> tuple[str, dict[str, str]]:
        """(URL, headers) of a provider's request. `secret`: the caller's own key, None = the operator's."""
        headers = {"content-type": "application/json"}
        for pairs in (self.headers, call.headers):
            if pairs:
                headers.update(pairs)
        headers.update(self.auth_headers(secret))
        return self.url(call.path), headers

    def key_probe(self, secret: Revealable | None) -> OutboundRequest | None:
        """The request that tells a good key from a bad one (401, 403); None where the provider offers none."""
        if not self.probe:
            return None
        own_base = self.allow_private and self.probe.startswith("https://")
        url = self.url("models" if own_base else self.probe)
        headers = {**dict(self.headers), **self.auth_headers(secret)}
        times = Timeouts(connect_s=5, first_byte_s=10, idle_s=10, total_s=15)
        return OutboundRequest(
            method="GET", url=url, headers=headers, timeouts=times, allow_private=self.allow_private
        )


class _Declared(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    base_url: str
    wire: WireName = "openai"
    auth: AuthStyle = "bearer"
    key_env: str | None = None
    needs_key: bool | None = None
    byok: bool = False
    abort_rule: AbortRule = "unknown"
    headers: dict[str, str] = {}
    max_tokens_field: str = "max_tokens"
    first_byte_s: float | None = None
    first_content_s: float | None = None
    models: list[DeclaredModel] = []
    rules: dict[str, Any] = {}


_ANSWER_S = 600.0
_LONG_TOKENS = 1500


def timeouts(waits: Traits, *, stream: bool, thinks: bool, max_tokens: int | None) -> Timeouts:
    """How long a provider is waited for.

    A plain answer's head comes with its last word, so what takes long belongs to it: the thinking, and the length where the
    caller asked for more than _LONG_TOKENS, in proportion (25 tokens a second at the usual 60 s).
    """
    length = 0 if stream or max_tokens is None else max_tokens
    return _timeouts(waits.first_byte_s, waits.first_content_s, stream, thinks, length)


@lru_cache(maxsize=1024)
def _timeouts(head: float, content: float, stream: bool, thinks: bool, max_tokens: int) -> Timeouts:
    if stream:
        return Timeouts(first_byte_s=head, first_content_s=content, total_s=head + content + _ANSWER_S)
    long = head * max_tokens / _LONG_TOKENS
    wait = max(head, content if thinks else min(content, long))
    return Timeouts(first_byte_s=wait, idle_s=max(Timeouts().idle_s, wait), total_s=wait + _ANSWER_S)


class Declared(NamedTuple):
    """What providers.toml says: endpoints, and rows on top of the rulebook."""

    endpoints: tuple[Endpoint, ...]
    rows: tuple[Row, ...]


class EndpointTable:
    """Every endpoint by provider name: the known ones, the operator's settings on top, those of providers.toml.

    providers.toml lies in the data directory: `[[provider]]` tables with name, base_url and the fields of `_Declared`, and
    `[[rule]]` tables like those of the rulebook.
    """

    def __init__(self, settings: Settings, env: Mapping[str, str] | None = None) -> None:
        self._endpoints = {row.name: _known(row, settings, env or {}) for row in table.ROWS}
        if settings.local_model:
            self._endpoints["local"] = _known(table.LOCAL, settings, {})
        told = declared(settings.data_dir / OPERATORS_FILE, env or {})
        for endpoint in told.endpoints:
            self._endpoints[endpoint.name] = endpoint
        self._rulebook = rulebook.bundled().with_rows(told.rows)
        self._codecs: dict[str, Codec] = {}

    def get(self, provider: str) -> Endpoint | None:
        """The endpoint, or None for an unknown provider."""
        return self._endpoints.get(provider)

    def configured(self, provider: str) -> bool:
        """True where this installation itself can pay for or run calls to the provider."""
        endpoint = self._endpoints.get(provider)
        return endpoint is not None and endpoint.configured

    def byok_providers(self) -> tuple[str, ...]:
        """Providers for which a user may save a key of their own."""
        return tuple(sorted(e.name for e in self._endpoints.values() if e.byok and e.auth != "none"))

    def keyless(self) -> tuple[str, ...]:
        """Known providers whose place an own server without a key has taken: an own key would only make it free."""
        return tuple(sorted(n for n in self._endpoints if not self._endpoints[n].byok and n in table.NAMES))

    def all(self) -> tuple[Endpoint, ...]:
        """Every endpoint, by name."""
        return tuple(self._endpoints[name] for name in sorted(self._endpoints))

    def put(self, endpoint: Endpoint) -> None:
        """Adds or replaces an endpoint (the local model's, after each start of its process)."""
        self._endpoints[endpoint.name] = endpoint
        self._codecs.pop(endpoint.name, None)

    def rules(self, provider: str, upstream_model: str, wire: WireName | None = None) -> Rules:
        """What a model takes and refuses at a provider, on its usual wire or another. Raises KeyError for an unknown provider."""
        endpoint = self._endpoints[provider]
        return self._rulebook.rules(wire or endpoint.wire, provider, upstream_model, own=endpoint.own)

    def way(self, provider: str, upstream_model: str) -> Way | None:
        """How a model there is told to fill in the middle; None where it can't, or nobody knows the provider."""
        endpoint = self._endpoints.get(provider)
        if endpoint is None:
            return None
        return self._rulebook.way(endpoint.wire, provider, upstream_model, own=endpoint.own)

    def told(self, provider: str, upstream_model: str, call: Call) -> tuple[WireName, Rules]:
        """The wire that a call is told on, and the rules there: OpenAI has two, and the rulebook says which calls need the newer
        one. Raises KeyError for an unknown provider."""
        wire = self._endpoints[provider].wire
        rules = self.rules(provider, upstream_model)
        if wire == "openai" and "endpoint" in rules.says and rules.of(call).endpoint == "responses":
            wire = "responses"
            rules = self.rules(provider, upstream_model, wire)
        return wire, rules

    def codec(self, provider: str, codecs: Mapping[str, Codec], wire: WireName | None = None) -> Codec:
        """The codec of a provider's wire, in its dialect; or of another wire. Raises KeyError for an unknown provider."""
        if wire is not None and wire != self._endpoints[provider].wire:
            return codecs[wire]
        made = self._codecs.get(provider)
        if made is None:
            endpoint = self._endpoints[provider]
            made = OpenAICodec(endpoint.dialect) if endpoint.wire == "openai" else codecs[endpoint.wire]
            self._codecs[provider] = made
        return made


def _known(row: table.Row, settings: Settings, env: Mapping[str, str]) -> Endpoint:
    given = settings.providers.get(row.name) or _given(row, env)
    base_url = given.base_url and based(given.base_url, row.wire, row.base_url)
    if row.name == "ollama":
        base_url = ollama_url(settings.ollama_host or OLLAMA_DEFAULT)
    dialect = row.dialect
    if row.name == "openai" and base_url is not None:
        dialect = Dialect(freeform=True)  # someone else's server: the common names, no assumptions
    return Endpoint(
        name=row.name,
        wire=row.wire,
        base_url=base_url or row.base_url,
        auth=row.auth,
        abort_rule=row.abort,
        headers=row.headers,
        dialect=dialect,
        key=given.key,
        needs_key=row.name not in ("local", "ollama")
        and base_url is None,  # many servers of one's own take no key
        allow_private=base_url is not None or row.own_host,
        own=row.own_host,
        byok=not row.own_host and (base_url is None or given.key is not None or settings.own_keys_at_keyless),
        probe=row.probe,
        options=_options(row.wire, row.options, own_server=base_url is not None or row.own_host),
        unstored=row.unstored and base_url is None,
        resells=row.resells and base_url is None,
        thinking_apart=row.wire in ("openai", "huggingface") and not row.counts_thinking,
    )


def _given(row: table.Row, env: Mapping[str, str]) -> ProviderSettings:
    """What the environment says of a provider. Raises SettingsError."""
    if row.name in ("ollama", "local"):
        return ProviderSettings()  # OLLAMA_HOST is a setting of its own, and the local model has none
    key, url = row.variables
    return ProviderSettings(env.get(key) or None, given_url(env, url))


def _options(wire: WireName, more: frozenset[str], *, own_server: bool) -> frozenset[str]:
    """A server of the operator's own bills no option apart, so its software's are open too."""
    if wire != "openai":
        return frozenset()
    found = frozenset(vocabulary.COMMON) | more
    return found | frozenset(vocabulary.OWN_SERVER) if own_server else found


def ollama_url(host: str) -> str:
    """OLLAMA_HOST as a URL, as Ollama's own clients read it: scheme http, port 11434, 0.0.0.0 means this machine."""
    text = host.strip().rstrip("/")
    if "://" not in text:
        text = f"http://{text}"
    parts = urlsplit(text)
    name = parts.hostname or "127.0.0.1"
    name = "127.0.0.1" if name == "0.0.0.0" else f"[{name}]" if ":" in name else name  # noqa: S104 (read, not bound)
    try:
        port = parts.port or {"https": 443}.get(parts.scheme, 11434)
    except ValueError:
        raise SettingsError(f"OLLAMA_HOST is {host!r}: the port is not a number") from None
    return based(f"{parts.scheme}://{name}:{port}{parts.path}", "ollama")


def declared(path: Path, env: Mapping[str, str]) -> Declared:
    """The operator's own endpoints and rules. Raises SettingsError with words that name the entry."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return Declared((), ())
    except (OSError, UnicodeDecodeError) as e:
        raise SettingsError(f"{path.name} can't be read: {e}") from None
    try:
        content: dict[str, Any] = tomllib.loads(text)
        entries = msgspec.convert(content.pop("provider", []), list[_Declared])
        tables = msgspec.convert(content.pop("rule", []), list[dict[str, Any]])
        own = [row for entry in entries for row in _own_rules(entry)]
        rows = read_rows(own) + read_rows(tables)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, RuleError) as e:
        raise SettingsError(f"{path.name}: {e}") from None
    if content:
        words = f"unknown table {next(iter(content))!r}; only [[provider]] and [[rule]] are read"
        raise SettingsError(f"{path.name}: {words}")
    return Declared(tuple(_declared(entry, path.name, env) for entry in entries), rows)


def _own_rules(entry: _Declared) -> Iterator[dict[str, Any]]:
    """`[provider.rules]` and the waits of a provider and its models as rows of the rulebook: a model's come last and count."""
    name = entry.name.lower()
    if said := {**_waits(entry), **entry.rules}:
        yield {"name": f"provider {name}", "providers": [name], **said}
    for model in entry.models:
        if waits := _waits(model):
            pattern = f"^{re.escape(model.id.lower())}$"
            yield {"name": f"model {model.id} of {name}", "providers": [name], "models": pattern, **waits}


def _waits(entry: _Declared | DeclaredModel) -> dict[str, float]:
    return {name: value for name in WAITS if (value := getattr(entry, name)) is not None}


def _declared(entry: _Declared, file: str, env: Mapping[str, str]) -> Endpoint:
    if not entry.base_url.startswith(("http://", "https://")):
        raise SettingsError(f"{file}: provider {entry.name}: base_url must start with http:// or https://")
    if (
        not entry.name
        or not all(c.isascii() and (c.isalnum() or c in "._-") for c in entry.name)
        or entry.name == "local"
    ):
        raise SettingsError(
            f"{file}: provider name {entry.name!r} must be letters, digits, '.', '_' or '-', and not 'local'"
        )
    key = env.get(entry.key_env) if entry.key_env else None
    return Endpoint(
        name=entry.name.lower(),
        wire=entry.wire,
        base_url=based(entry.base_url, entry.wire),
        auth=entry.auth,
        abort_rule=entry.abort_rule,
        headers=tuple(entry.headers.items()),
        dialect=Dialect(max_tokens_field=entry.max_tokens_field),
        key=key or None,
        needs_key=entry.needs_key if entry.needs_key is not None else entry.key_env is not None,
        allow_private=True,
        own=True,
        byok=entry.byok,
        probe="models" if entry.wire == "openai" else "",
        models=tuple(entry.models),
        options=_options(entry.wire, frozenset(vocabulary.OPENAI), own_server=True),
    )
