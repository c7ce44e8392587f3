"""The table of clients (`clients.toml`): what a person writes where, as texts with places for address, key and model.

Places look like `${key}`; nothing else in a text may. A step with `env` is typed into a shell: its variables, then its text.
"""

import json
import re
import shlex
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec

Kind = Literal["agent", "editor", "terminal", "sdk"]
Wire = Literal["chat", "responses", "anthropic", "gemini", "ollama"]
_PLACE = re.compile(r"\$\{(\w+)\}")
_PLAIN = re.compile(r"[\w./:@%+,=-]+")


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """What fills a text. origin: our address without a trailing slash; context, max_output: tokens."""

    origin: str
    key: str
    model: str
    name: str = ""
    context: int = 32_768
    max_output: int = 4096
    vision: bool = False

    def places(self) -> Mapping[str, str]:
        """Every place's value. `name` and `label` are JSON strings, which YAML and TOML read as well."""
        name = self.name or self.model
        return {
            "origin": self.origin,
            "key": self.key,
            "model": self.model,
            "name": json.dumps(name, ensure_ascii=False),
            "label": json.dumps(f"{name} (Marketplace)", ensure_ascii=False),
            "context": str(self.context),
            "max_output": str(self.max_output),
            "vision": json.dumps(self.vision),
        }


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing to do. where: in words; file: the file that text is, `~` = home, else relative to the project."""

    where: str
    text: str = ""
    file: str = ""
    env: Mapping[str, str] = {}

    def template(self) -> str:
        """What is copied, with its places open."""
        lines = [f"export {name}={_quoted(value)}" for name, value in self.env.items()]
        return "\n".join([*lines, *([self.text] if self.text else [])])


class Client(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A program and its settings.

    package: registry and name (`npm:cline`), with `version` the one that the trials pin and run. documented: of which day the
    documentation is that the settings are from, where nothing was run. wires: which of our wires it may speak, the one of these
    settings first. note: a sentence for whoever sets it up.
    """

    id: str
    name: str
    kind: Kind
    wires: tuple[Wire, ...]
    steps: tuple[Step, ...]
    package: str = ""
    version: str = ""
    documented: str = ""
    note: str = ""

    @property
    def tried(self) -> bool:
        """Have the trials run it with these settings?"""
        return bool(self.version) and not self.documented


def _quoted(value: str) -> str:
    return value if _PLAIN.fullmatch(_PLACE.sub("x", value)) else shlex.quote(value)


def shown(template: str, connection: Connection) -> str:
    """The text with its places filled; KeyError for a place that nobody knows."""
    places = connection.places()
    return _PLACE.sub(lambda found: places[found[1]], template)


@cache
def clients() -> tuple[Client, ...]:
    """The table, in the order in which it is shown."""
    raw = tomllib.loads(files(__package__).joinpath("clients.toml").read_text(encoding="utf-8"))
    return tuple(msgspec.convert(raw["client"], list[Client]))
