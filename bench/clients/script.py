"""The scripted model: it does one task with whatever tools a client offers. Pure: a request in, the next step out.

The task is told in a prompt that names its folder. The model reads notes.txt, changes a word in it, runs check.sh, and ends by
saying what that printed: the proof that edit, command and every result on the way arrived.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conversation import Asked, Tool

BEFORE, AFTER = "status: open", "status: closed"
REST = "colour: blue\n"
GREETING = "A short line of text"  # the answer to whatever is not the task
_TASK = re.compile(r"Task in (\S+):")
_PROOF = re.compile(r"proof-[0-9a-f]{8}")
_MOST_CALLS = 8

_READ = r"read|read_?files?|view|view_file|read_text_file|readfile|read_file_range"
_PATCH = r"apply_patch|apply_diff_patch"
_EDIT = r"edit|replace|edit_file|single_find_and_replace|str_replace|multiedit|editor|replace_in_file|edit_existing_file"
_WRITE = r"write|write_file|write_to_file|create|create_file|create_new_file"
_SHELL = (
    r"shell|shell_command|exec_command|local_shell|bash|run_shell_command|execute_command|run_commands|terminal"
    r"|run_terminal_command|execute|run"
)
_FINISH = r"attempt_completion|submit_and_exit"

_PATH = {"filepath", "path", "absolutepath", "targetfile", "filename", "file", "absolutefilepath"}
_PATHS = {"paths", "files", "filepaths"}
_OLD = {"oldstring", "oldstr", "oldtext", "search", "find", "old"}
_NEW = {"newstring", "newstr", "newtext", "replace", "replacement", "new"}
_WHOLE = {"content", "contents", "filetext", "text", "filecontent"}
_COMMAND = {"command", "cmd", "script"}
_RESULT = {"result", "summary", "message"}


@dataclass(frozen=True)
class Step:
    """What the model says: thought, text, and calls as (tool, arguments: an object, or text for a freeform tool)."""

    text: str = ""
    thought: str = ""
    calls: list[tuple[Tool, Any]] = field(default_factory=list)


def prompt(folder: Path) -> str:
    """The task, as a person would type it."""
    return (
        f"Task in {folder}: read notes.txt, change 'open' to 'closed' in it with your editing tool, then run "
        "'sh check.sh' there and tell me what it printed."
    )


def notes() -> str:
    """notes.txt before the task."""
    return f"{BEFORE}\n{REST}"


def check(proof: str) -> str:
    """check.sh: prints the proof only where the edit has been made."""
    return f"grep -q '{AFTER}' notes.txt && echo proof-$(printf '%s%s' {proof[:4]} {proof[4:]}) || echo not yet\n"


def next_step(asked: Asked) -> Step:
    """What the model answers."""
    if asked.schema is not None:
        return Step(text=json.dumps(_example(asked.schema, asked.schema)))
    starts = [i for i, turn in enumerate(asked.turns) if turn.role == "user" and _TASK.search(turn.text)]
    if starts and not asked.tools and "<<<<<<< SEARCH" in asked.instructions + "".join(t.text for t in asked.turns):
        return Step(text=f"notes.txt\n```\n<<<<<<< SEARCH\n{BEFORE}\n=======\n{AFTER}\n>>>>>>> REPLACE\n```\n")
    if not starts:
        return _small_talk(asked)
    if not asked.tools:
        return Step(text=GREETING)
    told = _TASK.search(asked.turns[starts[-1]].text)
    after = asked.turns[starts[-1] :]
    done = sum(bool(turn.call) for turn in after)
    results = [turn.text for turn in after if turn.role == "tool"]
    step = _step(asked.tools, done, Path(told[1] if told else "."), results)
    thought = f"Step {done} of the task." if asked.thinks else ""
    return Step(step.text, thought, step.calls)


def _small_talk(asked: Asked) -> Step:
    """What is not the task: a tool that the user's last words name, or that has to be called, is called once with what they say."""
    last = asked.turns[-1] if asked.turns else None
    if last is None or last.role != "user" or not asked.tools:
        return Step(text=GREETING)
    said = last.text.lower().replace(" ", "_")
    named = next((t for t in asked.tools if t.name == asked.forced or t.name.lower() in said), None)
    tool = named or (asked.tools[0] if len(asked.tools) == 1 or asked.forced else None)
    if tool is None or tool.freeform:
        return Step(text=GREETING)
    arguments = _example(tool.schema, tool.schema)
    figure, foreign = re.search(r"\d+", last.text), re.search(r"[^\x00-\x7f]+", last.text)
    for name, schema in _properties(tool.schema).items():
        if foreign is not None and schema.get("type") == "string":
            arguments[name] = foreign[0]
        if figure is not None and schema.get("type") == "integer":
            arguments[name] = int(figure[0])
    return Step(calls=[(tool, arguments)])


def _step(tools: list[Tool], done: int, folder: Path, results: list[str]) -> Step:
    notes_file = str(folder / "notes.txt")
    if done == 0:
        return Step("I read the notes first.", calls=[_reading(tools, notes_file)])
    if done == 1:
        return Step(calls=[_editing(tools, notes_file)])
    if done == 2:
        return Step(calls=[_running(tools, f"cd {folder} && sh check.sh", str(folder))])
    proofs = _PROOF.findall("\n".join(results))
    words = f"DONE {proofs[-1]}" if proofs else f"NOT DONE: {' | '.join(results)[-300:]}"
    finish = _find(tools, _FINISH)
    if finish is not None and done < _MOST_CALLS:
        return Step(calls=[(finish, _filled(finish, dict.fromkeys(_RESULT, words)))])
    return Step(words)


def _find(tools: list[Tool], names: str) -> Tool | None:
    return next((t for t in tools if re.fullmatch(names, t.name, re.IGNORECASE)), None)


def _reading(tools: list[Tool], path: str) -> tuple[Tool, Any]:
    tool = _find(tools, _READ)
    if tool is None:
        return _running(tools, f"cat {path}", str(Path(path).parent))
    return tool, _filled(tool, dict.fromkeys(_PATH, path) | dict.fromkeys(_PATHS, [path]))


def _editing(tools: list[Tool], path: str) -> tuple[Tool, Any]:
    if (tool := _find(tools, _PATCH)) is not None:
        patch = f"*** Begin Patch\n*** Update File: {Path(path).name}\n@@\n-{BEFORE}\n+{AFTER}\n*** End Patch\n"
        return tool, patch if tool.freeform else _filled(tool, dict.fromkeys(("input", "patch", "patchtext"), patch))
    paths = dict.fromkeys(_PATH, path)
    edit = dict.fromkeys(_OLD, BEFORE) | dict.fromkeys(_NEW, AFTER)
    if (tool := _find(tools, _EDIT)) is not None and _OLD & {_bare(name) for name in _properties(tool.schema)}:
        return tool, _filled(tool, paths | edit)
    if tool is not None and "edits" in _properties(tool.schema):
        inner = Tool("", (_properties(tool.schema)["edits"] or {}).get("items") or {})
        return tool, _filled(tool, paths | {"edits": [_filled(inner, edit)]})
    if (tool := _find(tools, _WRITE)) is not None:
        return tool, _filled(tool, paths | dict.fromkeys(_WHOLE, f"{AFTER}\n{REST}"))
    return _running(tools, f"sed -i 's/open/closed/' {path}", str(Path(path).parent))


def _running(tools: list[Tool], command: str, folder: str) -> tuple[Tool, Any]:
    tool = _find(tools, _SHELL) or tools[0]
    values: dict[str, Any] = dict.fromkeys(_COMMAND, command) | {"commands": [command]}
    values |= dict.fromkeys(("workdir", "cwd", "directory"), folder)
    return tool, _filled(tool, values)


def _bare(name: str) -> str:
    return name.replace("_", "").lower()


def _properties(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    return schema.get("properties") or {}


def _filled(tool: Tool, values: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments by the tool's schema: what is known by its name, and something that fits for the rest that is required."""
    required = tool.schema.get("required") or ()
    arguments: dict[str, Any] = {}
    for name, schema in _properties(tool.schema).items():
        if _bare(name) in values and (_bare(name) in _named(values) or name in required):
            arguments[name] = _shaped(values[_bare(name)], schema)
        elif name in required:
            arguments[name] = _example(schema, tool.schema)
    return arguments


def _named(values: Mapping[str, Any]) -> set[str]:
    """Names that are given wherever they are offered; a working folder is given only where it is required."""
    return set(values) - {"workdir", "cwd", "directory"}


def _shaped(value: Any, schema: Mapping[str, Any]) -> Any:
    """A known value in the shape that the schema wants: a command as argv, a list of paths as a list of objects."""
    if schema.get("type") == "array" and isinstance(value, str):
        return ["sh", "-c", value]
    items = schema.get("items") or {}
    if isinstance(value, list) and items.get("type") == "object":
        return [
            each if isinstance(each, dict) else _filled(Tool("", items), dict.fromkeys(_PATH | _COMMAND, each))
            for each in value
        ]
    return value


def _example(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int = 0) -> Any:
    """A value that fits a JSON schema."""
    if depth > 8:
        return None
    if "$ref" in schema:
        found: Any = root
        for key in str(schema["$ref"]).removeprefix("#/").split("/"):
            found = found.get(key, {})
        return _example(found, root, depth + 1)
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    for key in ("anyOf", "oneOf", "allOf"):
        if schema.get(key):
            return _example(schema[key][0], root, depth + 1)
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = (kind[0] if isinstance(kind, list) else kind).lower()
    if kind == "object":
        return {k: _example(s, root, depth + 1) for k, s in _properties(schema).items()}
    if kind == "array":
        return [_example(schema.get("items") or {}, root, depth + 1)] * max(1, schema.get("minItems", 1))
    return {"integer": 1, "number": 1, "boolean": False, "null": None}.get(kind, "word")
