"""What a call makes a provider read and make: every form of content on every wire, with its size where it can be told.

Reads a client's body, or the canonical call where there is none. What is not understood counts as text; what names something
to fetch, or has no size that we can read (a film, a PDF, a file by its id), is named in `unsized`: only the model's largest
input bounds it. docs/billing.md has the table of forms.
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from agent_marketplace import json
from agent_marketplace.wires.base import (
    Call,
    ImagePart,
    OpaquePart,
    Part,
    ReasoningPart,
    TextPart,
    Tool,
    ToolCallPart,
    ToolResultPart,
)
from agent_marketplace.wires.shared import plain
from agent_marketplace.wires.shared.bounds import TextSize, measure
from agent_marketplace.wires.shared.fields import ROUTING_FIELDS
from agent_marketplace.wires.shared.media import base64_text, image_size, wav_ms

CacheLife = Literal["", "5m", "1h"]


class Picture(msgspec.Struct, frozen=True):
    """An image: pixels, 0 x 0 where they can't be read; low: its client asked for OpenAI's cheapest detail."""

    width: int = 0
    height: int = 0
    low: bool = False


class Forms(msgspec.Struct, frozen=True, kw_only=True):
    """The sizes of a call, before it is known who answers.

    text: everything that is read as text.
    predicted: a predicted output, which is billed as output where it is rejected.
    pictures: the images.
    audio_ms: length of the recordings whose length can be read, milliseconds.
    unsized: forms whose size nobody can tell, by name.
    cache: the longest life of a cache entry that is asked for.
    speaks: an answer as audio is asked for.
    messages, tools, native: how many turns, functions, and tools of a provider's own.
    schema: the answer has to follow a schema.
    readings: how often the provider may read all of it for one answer.
    cited: passages of documents that are to be cited, each of which the provider marks.
    """

    text: TextSize = TextSize()
    predicted: TextSize = TextSize()
    pictures: tuple[Picture, ...] = ()
    audio_ms: int = 0
    unsized: tuple[str, ...] = ()
    cache: CacheLife = ""
    speaks: bool = False
    messages: int = 0
    tools: int = 0
    native: int = 0
    schema: bool = False
    readings: int = 1
    cited: int = 0


def of_body(body: bytes) -> Forms:
    """Of a client's body, which is known to be a JSON object."""
    found = plain.read(body)
    if found is None:
        return of_any_body(body)
    texts: list[str] = []
    for turn in found.messages:
        if isinstance(turn.content, str):
            texts.append(turn.content)
        else:
            texts += [words.text for words in turn.content]
    return Forms(text=measure("\n".join(texts)), messages=len(found.messages))


def of_any_body(body: bytes) -> Forms:
    """As `of_body`, whatever stands in it."""
    reader = _Reader()
    for name, value in msgspec.json.decode(body, type=dict[str, Any]).items():
        reader.field(name, value)
    return reader.forms()


def of_call(call: Call) -> Forms:
    """Of a canonical call."""
    if call.plain:
        texts = [part.text for turn in call.messages for part in turn.parts if isinstance(part, TextPart)]
        return Forms(text=measure("\n".join(texts)), messages=len(call.messages))
    reader = _Reader()
    reader.marked(call.cache)
    for name in (
        call.user,
        call.tool_choice,
        call.reasoning_effort,
        call.reasoning_summary,
        call.response_schema_name,
    ):
        reader.named(name)
    for message in call.messages:
        reader.messages += 1
        for part in message.parts:
            reader.canonical(part)
    for tool in call.tools:
        reader.tool(tool)
    if call.response_schema is not None:
        reader.field("response_schema", call.response_schema)
    for name, value in call.extra.items():
        reader.field(name, value)
    return reader.forms()


_TURNS = frozenset(
    {
        "messages",
        "contents",
        "input",
        "system",
        "systemInstruction",
        "system_instruction",
        "prompt",
        "instructions",
    }
)
_TOOLS = frozenset({"tools", "functions"})
_SCHEMAS = frozenset(
    {
        "response_format",
        "response_schema",
        "generationConfig",
        "generation_config",
        "output_config",
        "output_format",
        "text",
        "format",
    }
)
_STORED = frozenset({"cachedContent", "cached_content", "container", "previous_response_id", "conversation"})
_OURS = ROUTING_FIELDS | {"model"}
_SCALARS = frozenset({
    "user", "tool_choice", "reasoning_effort", "service_tier", "stop", "stop_sequences", "toolConfig", "tool_config",
    "safetySettings", "safety_settings", "stream_options", "keep_alive", "metadata", "thinking", "reasoning", "cache_control",
    "safety_identifier", "prompt_cache_key", "truncation", "verbosity", "store", "include",
})  # fmt: skip
"""Fields of a body that no provider reads to the model, as long as they are as short as names are."""
_SILENT = frozenset({
    "type", "id", "role", "tool_use_id", "tool_call_id", "call_id", "index", "status", "detail", "mimeType", "mime_type",
    "media_type", "cache_control", "is_error", "thought", "annotations", "logprobs", "format", "phase",
})  # fmt: skip
"""Fields of a part that are no content, as long as they are as short as names are."""
_ENDS = (". ", "? ", "! ", "\\n", '"text"')
"""Where a passage may end in a document as it is written in JSON."""
_NAME = 64
_ROUNDS = 10  # Anthropic "Server tools": so many times it samples for one answer, then it pauses
_WAVS = frozenset({"wav", "x-wav", "wave", "vnd.wave"})
_FETCHED = frozenset({
    "url", "uri", "file_uri", "fileUri", "file_id", "fileId", "file_url", "fileUrl", "file_data", "video_url", "audio_url",
    "video", "audio", "cachedContent", "cached_content", "vector_store_ids", "container_id", "server_url",
})  # fmt: skip
"""Fields of a part that name something to fetch, or hold a medium."""
_FILES = frozenset(
    {
        "file",
        "input_file",
        "container_upload",
        "video",
        "video_url",
        "input_video",
        "audio_url",
        "item_reference",
    }
)
_PLAIN_SOURCES = frozenset(
    {"citations", "sources", "search_result", "web_search_result", "web_search_tool_result"}
)


class _Reader:
    """Collects the forms of one call."""

    def __init__(self) -> None:
        self.messages = 0
        self._texts: list[str] = []
        self._predicted: list[str] = []
        self._pictures: list[Picture] = []
        self._unsized: dict[str, None] = {}
        self._audio_ms = 0
        self._cache: CacheLife = ""
        self._speaks = self._schema = False
        self._tools = self._native = 0
        self._readings, self._cited = 1, 0

    def forms(self) -> Forms:
        return Forms(
            text=measure("\n".join(self._texts)), predicted=measure("\n".join(self._predicted)), audio_ms=self._audio_ms,
            pictures=tuple(self._pictures), unsized=tuple(self._unsized), cache=self._cache, speaks=self._speaks,
            messages=self.messages, tools=self._tools, native=self._native, schema=self._schema,
            readings=self._readings, cited=self._cited,
        )  # fmt: skip

    # -- a body's fields --------------------------------------------------------------------------------------------

    def field(self, name: str, value: Any) -> None:
        """One field of the body."""
        if isinstance(value, dict):
            self._note_cache(name, value)
        if name in _TURNS:
            self.messages += len(value) if isinstance(value, list) else 1
            self._value("content", value)
        elif name in _TOOLS:
            for entry in value if isinstance(value, list) else ():
                self._tool_entry(entry)
        elif name == "prediction":
            self._predicted.append(_text_of(value))
        elif name in _STORED:
            if value:
                self._unsized[name] = None
        elif name in _SCHEMAS:
            self._shape(value)
        elif name in ("audio", "modalities"):
            self._speaks = self._speaks or name == "audio" or "audio" in (value or ())
        elif name in _SCALARS:
            self.named(value)
        elif isinstance(value, dict | list | str) and name not in _OURS:
            self._value(name, value)

    def _shape(self, value: Any) -> None:
        """How the answer is to look: schemas are read to the model, and an answer as speech may be asked for here."""
        if not isinstance(value, dict):
            return
        if any(isinstance(v, dict | list | str) for v in value.values()):
            self._texts.append(_text_of(value))
        self._schema = self._schema or any(isinstance(v, dict) for v in value.values())
        modalities = value.get("responseModalities", value.get("response_modalities"))
        if isinstance(modalities, list) and any(str(m).upper() == "AUDIO" for m in modalities):
            self._speaks = True
        self._speaks = self._speaks or "speechConfig" in value or "speech_config" in value

    def tool(self, tool: Tool) -> None:
        """A canonical tool."""
        if tool.native is not None:
            self._tool_entry(tool.native)
        else:
            self._tools += 1
            self.marked(tool.cache)
            self._texts += (tool.name, tool.description, _text_of(tool.parameters))

    def _tool_entry(self, entry: Any) -> None:
        self._texts.append(_text_of(entry))
        if not isinstance(entry, dict):
            return
        self._note_cache("", entry)
        for inner in ("function", "custom"):
            if isinstance(entry.get(inner), dict):
                self._note_cache("", entry[inner])
        kind = entry.get("type")
        declared = entry.get("functionDeclarations", entry.get("function_declarations"))
        if isinstance(declared, list):
            self._tools += len(declared)
        elif kind in ("function", "custom") or (kind is None and {"name", "function"} & entry.keys()):
            self._tools += 1
        else:
            # One that the provider runs brings input nobody can bound; it is never sent on the operator's key (`gateway.hosted`).
            self._native += 1
            if str(kind).startswith(
                "tool_search_tool"
            ):  # the one that Anthropic runs for the caller's own tools
                self._readings = _ROUNDS

    # -- content ----------------------------------------------------------------------------------------------------

    def canonical(self, part: Part) -> None:
        """One canonical part."""
        match part:
            case TextPart():
                self._texts.append(part.text)
                self.marked(part.cache)
            case ReasoningPart():
                self._texts += (part.text, part.signature)
            case ToolCallPart():
                self._texts += (part.name, part.arguments)
                self.named(part.id)
            case ToolResultPart():
                self._texts += (part.name, part.content)
                self.named(part.call_id)
                self.marked(part.cache)
            case ImagePart():
                self.marked(part.cache)
                self._picture(part.data, part.detail)
            case OpaquePart():
                self._part(part.value)

    def _value(self, name: str, value: Any, *, fetches: bool = True) -> None:
        if isinstance(value, str):
            if fetches and name in _FETCHED and value:
                self._unsized[name] = None
            else:
                self._texts.append(value)
        elif isinstance(value, dict):
            self._part(value, fetches=fetches)
        elif isinstance(value, list):
            for each in value:
                self._value(name, each, fetches=fetches)
        elif value is not None and not isinstance(value, bool):
            self._texts.append(str(value))

    def _part(self, part: Mapping[str, Any], *, fetches: bool = True) -> None:
        """A part, a turn, or anything else that is an object."""
        self._note_cache("", part)
        cited = part.get("citations")
        if isinstance(cited, dict) and cited.get("enabled"):
            said = _text_of(part)
            self._cited += 1 + sum(map(said.count, _ENDS))
        if self._is_picture(part) or self._is_medium(part):
            return
        plain = not fetches or part.get("type") in _PLAIN_SOURCES
        for name, value in part.items():
            if name == "images" and isinstance(value, list):  # Ollama: base64, without a type
                for data in value:
                    self._picture(data if isinstance(data, str) else "", "")
            elif name in _SILENT:
                self.named(value)
            else:
                if isinstance(value, dict) and name not in _CONTAINERS:
                    self._texts.append(name)
                self._value(name, value, fetches=not plain and name not in _PLAIN_SOURCES)

    def _is_picture(self, part: Mapping[str, Any]) -> bool:
        given, items = part.get("image_url"), part.get("type") == "input_image"
        if given is not None or items:
            given = given if isinstance(given, dict) else {"url": given}
            url = given.get("url")
            self._beside(given, "url")
            data = url.partition(",")[2] if isinstance(url, str) and url.startswith("data:") else ""
            # Beside `image_url` only Responses has a detail: elsewhere it is not sent, and the provider takes its usual one.
            self._picture(data, str((part if items else given).get("detail") or ""))
            return True
        source = part.get("source")
        if part.get("type") == "image" and isinstance(source, dict):
            self._picture(source.get("data") if source.get("type") == "base64" else "", "")
            return True
        inline = _inline(part)
        if inline is not None and _type_of(inline).startswith("image/"):
            self._beside(inline, "data")
            self._picture(inline.get("data"), "")
            return True
        return False

    def _is_medium(self, part: Mapping[str, Any]) -> bool:
        """A recording, a film, a document, a file. True where nothing is left to read."""
        audio = part.get("input_audio")
        if isinstance(audio, dict):
            self._beside(audio, "data")
            self._recording(audio.get("data"), str(audio.get("format") or "").lower())
            return True
        inline = _inline(part)
        if inline is not None:
            self._beside(inline, "data")
            kind = _type_of(inline)
            if kind.startswith("audio/"):
                self._recording(inline.get("data"), kind.removeprefix("audio/"))
            elif (text := _text_in(inline, kind)) is not None:
                self._texts.append(text)
            else:
                self._unsized[kind[:60] or "inlineData"] = None
            return True
        kind = str(part.get("type") or "")
        if kind in _FILES or any(
            isinstance(part.get(n), dict) for n in ("fileData", "file_data", "file", "video", "video_url")
        ):
            self._unsized[kind[:60] or "fileData"] = None
            return True
        source = part.get("source")
        if kind == "document" and isinstance(source, dict) and source.get("type") not in ("text", "content"):
            self._unsized["document"] = None
        return False

    def _picture(self, data: Any, detail: str) -> None:
        size = image_size(data) if isinstance(data, str) and data else None
        self._pictures.append(Picture(*(size or (0, 0)), low=detail == "low"))

    def _beside(self, medium: Mapping[str, Any], data: str) -> None:
        """What is written beside a medium, such as its name."""
        for name, value in medium.items():
            if name != data:
                self.named(value)

    def named(self, value: Any) -> None:
        """A field that no provider reads to its model unless there is more in it than a name."""
        if isinstance(value, str):
            if len(value) > _NAME:
                self._texts.append(value)
        elif isinstance(value, dict | list) and value and len(text := _text_of(value)) > _NAME:
            self._texts.append(text)

    def _recording(self, data: Any, form: str) -> None:
        """form: what the recording is said to be; a WAV's head in front of another form says nothing about its length."""
        length = wav_ms(data) if isinstance(data, str) and form in _WAVS else None
        if length is None:
            self._unsized["audio"] = None
        else:
            self._audio_ms += length

    def _note_cache(self, name: str, value: Mapping[str, Any]) -> None:
        mark = value if name == "cache_control" else value.get("cache_control")
        if isinstance(mark, dict):
            self.marked("5m" if mark.get("ttl") in (None, "5m") else "1h")

    def marked(self, life: str) -> None:
        """A prompt-cache mark of that life; "" = none."""
        if life:
            self._cache = "1h" if "1h" in (self._cache, life) else "5m"


_CONTAINERS = frozenset({
    "function", "source", "content", "input", "functionCall", "function_call", "functionResponse", "function_response", "args",
    "response", "parts", "delta",
})  # fmt: skip


def _inline(part: Mapping[str, Any]) -> dict[str, Any] | None:
    found = part.get("inlineData", part.get("inline_data"))
    return found if isinstance(found, dict) else None


def _type_of(inline: Mapping[str, Any]) -> str:
    return str(inline.get("mimeType", inline.get("mime_type")) or "").lower()


def _text_in(inline: Mapping[str, Any], kind: str) -> str | None:
    """The words of a text sent in base64; None where there is another kind in it, or nobody knows how they will be read."""
    form, _, more = kind.partition(";")
    if not form.startswith("text/") or form == "text/rtf" or more.strip() not in ("", "charset=utf-8"):
        return None
    data = inline.get("data")
    return base64_text(data) if isinstance(data, str) else None


def _text_of(value: Any) -> str:
    return value if isinstance(value, str) else json.encode(value).decode()
