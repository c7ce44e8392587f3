"""The rulebook: rows of data (`rulebook.toml`), each with what it covers, where it comes from, and what holds there.

The operator's own rows (`[[rule]]` in providers.toml) come after the bundled ones and have the same form: a row of the same
name replaces the bundled one, `off = true` removes it.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import msgspec

from agent_marketplace.rules.generations import FAMILIES, generation, number
from agent_marketplace.wires.base import Call
from agent_marketplace.wires.fim.provider_side import Kind, Way
from agent_marketplace.wires.fim.templates import TEMPLATES

Known = Literal["documented", "reported", "assumed"]
"""How sure a row is: the provider's own documents, reports of its refusals, or neither. None was tried against a provider."""

OWN = "own"
"""Stands in `providers` for every server of the operator's own: those of providers.toml, vLLM, llama.cpp, LM Studio."""


class Traits(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for one call at one target. Sets of several rows are joined, of anything else the last row counts.

    refuses: parameters left out (canonical names, or a field of the client's own body); of those that say what an answer must
    hold the whole target is refused. exclusive: pairs of which only the first may be given. most: upper bounds by parameter.
    efforts: words that `reasoning_effort` may be, empty = all. thinks: does the model think unasked? thinking: the style its
    wire asks in. budgets: it takes thinking budgets in tokens; least_budget: tokens. thinking_shown: the word that asks for a
    summary. effort_as: `thinking` = a switch `{type}` and no effort; `both` = the switch beside the effort. forced_tool: what
    becomes of a choice that forces a call. allowed_tools: is a choice among some of the tools known? formats: response
    formats taken, empty = all. stops: most stop sequences. blank_stops, blanks: are white space only ones taken?
    developer: is that role known? system: may it stand anywhere, or
    first only? alternate: turns of one role in a row are joined. bridge: an assistant's turn stands between a tool's and a
    user's. prefill: what becomes of an assistant's turn at the end. call_ids, tool_names: patterns. pictures: where a tool's
    result may hold them. reasoning: what becomes of thinking in a history: passed as the client's bytes are, refused, or the
    field of the message it stands in; reasoning_required: a turn with tool calls without it is refused there.
    sealed_thinking, freeform: on the Responses wire, may thinking be asked for in sealed items, and are custom tools known?
    endpoint: the path at OpenAI. max_tokens_field: what the length is called. first_byte_s: seconds to the answer's head;
    first_content_s: from there to the first content of a stream, and for a plain answer of a model that thinks.
    fim: the way that it is told to fill in the middle (wires/fim/provider_side.py), "" = it can't; fim_path: the address of
    that, "" = the way's own; fim_template: a name in wires/fim/templates.py.
    """

    refuses: frozenset[str] = frozenset()
    exclusive: frozenset[tuple[str, str]] = frozenset()
    most: Mapping[str, float] = {}
    efforts: tuple[str, ...] = ()
    thinks: Literal["asked", "default", "always"] = "asked"
    thinking: Literal["", "adaptive", "budget", "level"] = ""
    budgets: bool = True
    least_budget: int = 0
    thinking_shown: str = ""
    effort_as: Literal["effort", "thinking", "both"] = "effort"
    forced_tool: Literal["taken", "without_thinking", "auto", "refused"] = "taken"
    allowed_tools: bool = False
    formats: tuple[str, ...] = ()
    stops: int | None = None
    blank_stops: bool = True
    blanks: bool = True
    developer: bool = False
    system: Literal["anywhere", "first"] = "anywhere"
    alternate: bool = False
    bridge: bool = False
    prefill: Literal["taken", "prefix", "continued", "refused"] = "taken"
    call_ids: str = r"\S{1,64}"
    tool_names: str = r"[a-zA-Z0-9_-]{1,64}"
    users: str = r"[\s\S]*"
    tool_schemas: Literal["any", "object", "listed", "google"] = "any"
    tools_named: bool = False
    format_schemas: Literal["any", "closed"] = "any"
    pictures: Literal["result", "user"] = "result"
    reasoning: str = "passed"
    reasoning_required: bool = False
    sealed_thinking: bool = False
    freeform: bool = False
    endpoint: Literal["chat", "responses"] = "chat"
    max_tokens_field: str = ""
    first_byte_s: float = 60.0
    first_content_s: float = 300.0
    fim: Kind = ""
    fim_path: str = ""
    fim_template: str = ""


_PATTERNS = ("call_ids", "tool_names", "users")
WAITS = ("first_byte_s", "first_content_s")
_MOST_WAIT_S = 3600

_TRAITS = {field.name: field.type for field in msgspec.structs.fields(Traits)}
STATES = frozenset({"thinking", "not_thinking", "tools"})


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One rule. Covers a target where every given one of wires, providers, models (a pattern searched in the name), family
    with since (inclusive) and before (exclusive) fits, and a call in every state of `when`. date: of the source."""

    name: str
    holds: Mapping[str, Any]
    wires: frozenset[str] = frozenset()
    providers: frozenset[str] = frozenset()
    models: str = ""
    but: str = ""
    family: str = ""
    since: str = ""
    before: str = ""
    when: frozenset[str] = frozenset()
    source: str = ""
    date: str = ""
    known: Known = "assumed"
    off: bool = False

    def covers(self, wire: str, providers: frozenset[str], model: str) -> bool:
        """Whether the target is meant; `model` in lower case."""
        if (self.wires and wire not in self.wires) or (self.providers and not self.providers & providers):
            return False
        if (self.models and not re.search(self.models, model)) or (self.but and re.search(self.but, model)):
            return False
        if not self.family:
            return True
        at = generation(self.family, model)
        if at is None:
            return False
        return (not self.since or at >= number(self.since)) and (not self.before or at < number(self.before))


class RuleError(ValueError):
    """A row that can't be read, in words that name it."""


def read_rows(
    entries: Iterable[Mapping[str, Any]], *, providers: frozenset[str] = frozenset()
) -> tuple[Row, ...]:
    """Rows from tables. providers: what a row without providers of its own covers. Raises RuleError."""
    return tuple(_row(entry, providers) for entry in entries)


_OF_ROW = frozenset(Row.__struct_fields__) - {"holds"}


def _row(entry: Mapping[str, Any], providers: frozenset[str]) -> Row:
    name = entry.get("name")
    where = f"rule {name!r}"
    try:
        row = {k: v for k, v in entry.items() if k in _OF_ROW}
        holds = {k: _trait(k, v) for k, v in entry.items() if k not in _OF_ROW}
        made = msgspec.convert({**row, "holds": {}}, Row)
        made = msgspec.structs.replace(made, holds=holds, providers=made.providers or providers)
        for pattern in (
            made.models,
            made.but,
            *(v for k, v in holds.items() if k in _PATTERNS),
        ):
            re.compile(pattern)
        for bound in (made.since, made.before):
            number(bound or "0")
    except (msgspec.ValidationError, re.error, ValueError) as e:
        raise RuleError(f"{where}: {e}") from None
    if made.family and made.family not in FAMILIES:
        raise RuleError(f"{where}: family is one of {', '.join(sorted(FAMILIES))}")
    if not made.when <= STATES:
        raise RuleError(f"{where}: when is one of {', '.join(sorted(STATES))}")
    return made


def _trait(name: str, value: Any) -> Any:
    if name not in _TRAITS:
        raise ValueError(f"{name} is not something a rule can say")
    made = msgspec.convert(value, _TRAITS[name])
    if name in WAITS and not 0 < made <= _MOST_WAIT_S:  # nan is not either
        raise ValueError(f"{name} is seconds, above 0 and at most {_MOST_WAIT_S}")
    if name == "fim_template" and made not in TEMPLATES:
        raise ValueError(f"fim_template is one of {', '.join(TEMPLATES)}")
    return made


def merged(rows: Iterable[Row]) -> Traits:
    """What several rows say together."""
    found: dict[str, Any] = {}
    for row in rows:
        for name, value in row.holds.items():
            before = found.get(name)
            if isinstance(value, frozenset) and before is not None:
                found[name] = before | value
            elif isinstance(value, dict) and before is not None:
                found[name] = {**before, **value}
            else:
                found[name] = value
    return Traits(**found)


class Rules:
    """The rules of one target: a model at a provider, on that provider's wire. says: the traits that any of its rows names."""

    def __init__(self, rows: tuple[Row, ...], wire: str) -> None:
        self.rows = rows
        self.wire = wire
        self.says = frozenset(name for row in rows for name in row.holds)
        self._thinks = merged(r for r in rows if not r.when).thinks
        self._found: dict[tuple[bool, bool], Traits] = {}

    def of(self, call: Call) -> Traits:
        """What holds for this call."""
        return self.state(call)[0]

    def state(self, call: Call) -> tuple[Traits, bool]:
        """Both at once: what holds for this call, and whether the model will think about it."""
        thinks = self._thinks == "always" or _asked(call, default=self._thinks == "default")
        state = thinks, bool(call.tools)
        traits = self._found.get(state)
        if traits is None:
            states = {"thinking" if thinks else "not_thinking"} | ({"tools"} if call.tools else set())
            traits = self._found[state] = merged(r for r in self.rows if r.when <= states)
        return traits, thinks

    @property
    def knows_thinking(self) -> bool:
        """Whether any rule says when the model thinks, or how it is asked to."""
        return "thinks" in self.says or "thinking" in self.says


def _asked(call: Call, *, default: bool) -> bool:
    """Whether a call asks for thinking; default: what saying nothing of it means."""
    if call.reasoning_effort is not None or call.reasoning_max_tokens is not None:
        return call.reasoning_effort != "none" and call.reasoning_max_tokens != 0
    switch = call.extra.get("thinking") if call.extra else None
    kind = switch.get("type") if isinstance(switch, dict) else None
    # DeepSeek's, Moonshot's and Z.ai's own field
    return kind == "enabled" if kind in ("enabled", "disabled") else default


class Rulebook:
    """All rows; the rules of a target are looked up once and kept."""

    def __init__(self, rows: Iterable[Row]) -> None:
        by_name = {row.name: row for row in rows}  # a later row takes an earlier one's place
        self.rows = tuple(row for row in by_name.values() if not row.off)
        self._rules: dict[tuple[str, str, str, bool], Rules] = {}
        self._fim = tuple(row for row in self.rows if "fim" in row.holds)
        self._ways: dict[tuple[str, str, str, bool], Way | None] = {}

    def rules(self, wire: str, provider: str, model: str, *, own: bool = False) -> Rules:
        """own: the provider is a server of the operator's."""
        place = (wire, provider, model, own)
        rules = self._rules.get(place)
        if rules is None:
            names = frozenset({provider, OWN} if own else {provider})
            low = model.lower()
            found = tuple(row for row in self.rows if row.covers(wire, names, low))
            rules = self._rules[place] = Rules(found, wire)
        return rules

    def way(self, wire: str, provider: str, model: str, *, own: bool = False) -> Way | None:
        """How a model is told to fill in the middle, None = it can't. Of its own rows only: a catalogue asks for thousands."""
        place = (wire, provider, model, own)
        if place not in self._ways:
            names, low = frozenset({provider, OWN} if own else {provider}), model.lower()
            traits = merged(row for row in self._fim if row.covers(wire, names, low))
            found = Way(kind=traits.fim, path=traits.fim_path, template=traits.fim_template)
            self._ways[place] = found if traits.fim else None
        return self._ways[place]

    def with_rows(self, rows: Iterable[Row]) -> "Rulebook":
        """This book with an operator's rows on top; itself where there are none, with all that it has looked up."""
        added = tuple(rows)
        return Rulebook((*self.rows, *added)) if added else self


@cache
def bundled() -> Rulebook:
    """The rulebook that ships with the package."""
    text = (files("agent_marketplace.rules") / "rulebook.toml").read_text("utf-8")
    return Rulebook(read_rows(tomllib.loads(text)["rule"]))
