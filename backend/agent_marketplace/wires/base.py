"""What every wire speaks inside the house: a canonical call, events and reply; and the codec's two directions.

A codec is pure: bytes in, values out. `parse_request`, `render_*` and `encoder` face our clients; `build_request`,
`parse_reply`, `decoder` and `classify_error` face a provider. No codec knows of money, users or endpoints.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Literal, Protocol

import msgspec

from agent_marketplace.errors import MarketplaceError
from agent_marketplace.usage import Usage
from agent_marketplace.wires.notes import Note, bounded, left_out

WireName = Literal["openai", "responses", "anthropic", "gemini", "ollama", "huggingface"]
Role = Literal["system", "user", "assistant", "tool"]


class Finish(StrEnum):
    """Why an answer ended, in one vocabulary (OpenAI's, as the field uses it)."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"
    ERROR = "error"


class TextPart(msgspec.Struct, frozen=True, tag="text"):
    """Plain text. phase: OpenAI's word for what an assistant's text is (`commentary`, `final_answer`), "" if it said none.
    cache, of this and other parts: a prompt-cache mark that ends here, "5m" or "1h"; "" = none."""

    text: str
    phase: str = ""
    cache: str = ""


class ImagePart(msgspec.Struct, frozen=True, tag="image"):
    """An image: base64 `data` with its `media_type`, or a public `url`; exactly one of the two. `detail`: OpenAI's hint."""

    media_type: str = ""
    data: str = ""
    url: str = ""
    detail: str = ""
    cache: str = ""


class ToolCallPart(msgspec.Struct, frozen=True, tag="tool_call"):
    """A call the model asked for. `arguments` is JSON text as the model wrote it. `signature`: opaque, the minter's own. custom:
    of a freeform tool; its text stands under `input` (`shared.freeform`).
    """

    id: str
    name: str
    arguments: str
    signature: str = ""
    custom: bool = False


class ToolResultPart(msgspec.Struct, frozen=True, tag="tool_result"):
    """What a tool answered."""

    call_id: str
    content: str
    name: str = ""
    is_error: bool = False
    cache: str = ""


class ReasoningPart(msgspec.Struct, frozen=True, tag="reasoning"):
    """Thinking carried in a history. `signature` is opaque and valid only at the endpoint family that minted it."""

    text: str
    signature: str = ""
    redacted: bool = False


class OpaquePart(msgspec.Struct, frozen=True, tag="opaque"):
    """Content without a canonical name (audio, files, cited documents): sayable only on the wire the call came from."""

    kind: str
    value: Mapping[str, Any]


Part = TextPart | ImagePart | ToolCallPart | ToolResultPart | ReasoningPart | OpaquePart


class Message(msgspec.Struct, frozen=True):
    """One turn. developer: a system turn that its client called by OpenAI's newer name."""

    role: Role
    parts: tuple[Part, ...]
    developer: bool = False


class Tool(msgspec.Struct, frozen=True):
    """A function the model may call; `parameters` is a JSON schema. `native`: a provider's own tool, for its wire only. custom:
    the client's definition of a freeform tool. namespace: the group that it stands in; its name begins with it. extra: the
    definition's other fields, nested as in the client's wire.
    """

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = {}
    strict: bool | None = None
    native: Mapping[str, Any] | None = None
    custom: Mapping[str, Any] | None = None
    namespace: str = ""
    cache: str = ""
    extra: Mapping[str, Any] = {}


class Manner(msgspec.Struct, frozen=True, kw_only=True):
    """The words a wire is to use towards one target; set by the stage that fits a call (`rules`), never by a client.

    thinking: the style it is asked in, "" = the wire's usual one. thinking_shown: the word that asks for a summary.
    thinking_hidden: none was asked for, but the model can't be stopped from it. effort_as: `thinking` = the switch
    `thinking: {type}` and no effort, `both` = the switch where thinking is off.
    reasoning_field: where an assistant's message holds its earlier thinking, "" = it is left out. prefix: an assistant's turn
    at the end is marked as the beginning of the answer. max_tokens_field: what the length is called, "" = as the dialect says.
    sealed_thinking, freeform: Responses may be asked for sealed items of thinking, and knows custom tools.
    """

    thinking: str = ""
    thinking_shown: str = ""
    thinking_hidden: bool = False
    effort_as: str = "effort"
    reasoning_field: str = ""
    prefix: bool = False
    max_tokens_field: str = ""
    sealed_thinking: bool = False
    freeform: bool = False


class Fill(msgspec.Struct, frozen=True, kw_only=True):
    """A completion of bare text instead of an answer to somebody: what stands before the cursor, and after it (None = not given).

    strict: only a model that fills in the middle may write it, also without a suffix.
    ignored: fields of the client's body that no such provider takes.
    """

    prefix: str
    suffix: str | None = None
    strict: bool = False
    ignored: tuple[str, ...] = ()

    @property
    def needs_fim(self) -> bool:
        """Whether a model that can only talk is no use."""
        return self.strict or bool(self.suffix)


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A request in canonical form. None means "not given"; `extra`: fields without a canonical name, for `wire` only.

    plain: it was read from a body of nothing but turns of text and what `shared.plain` names, so nobody need look for more.
    """

    model: str
    messages: tuple[Message, ...]
    wire: WireName | None = None  # the wire it was read from; None = made inside the house
    stream: bool = False
    include_usage: bool | None = False  # None = the client said nothing of it
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    n: int | None = None
    tools: tuple[Tool, ...] = ()
    tool_choice: str | None = None  # "auto" | "none" | "required" | a tool's name
    allowed_tools: tuple[str, ...] = ()  # the choice is among these; () = all
    parallel_tool_calls: bool | None = None
    response_format: Literal["text", "json_object", "json_schema"] | None = None
    response_schema: Mapping[str, Any] | None = None
    response_schema_name: str = "response"
    response_strict: bool | None = None  # None = not said
    cache: str = ""  # a mark that the provider is to place itself, behind the last turn
    reasoning_effort: str | None = None  # "none" | "minimal" | "low" | "medium" | "high"
    reasoning_max_tokens: int | None = None
    adaptive: bool = False  # thinking was asked for in Claude's adaptive style
    reasoning_summary: str | None = (
        None  # how a summary of the thinking is asked for: "auto" | "concise" | "detailed"
    )
    user: str | None = None
    routing: Mapping[
        str, Any
    ] = {}  # our own fields, cut out of the body: models, provider, byok, fallback, on_empty, max_cost, ...
    extra: Mapping[str, Any] = {}
    echo: Mapping[str, Any] = {}  # what a reply on the client's wire repeats of its request
    unread: tuple[
        str, ...
    ] = ()  # places in the body that no codec here understands (wires/shared/vocabulary)
    strange: tuple[
        str, ...
    ] = ()  # those of them that are content, without which the answer would be another one
    manner: Manner = Manner()
    plain: bool = False
    respelled: bool = False  # its client's bytes are not in the wire's own words, and must not pass
    fill: Fill | None = None  # bare text; its texts stand in the one message too


class TextDelta(msgspec.Struct, frozen=True):
    """More text. phase: as in `TextPart`."""

    text: str
    phase: str = ""


class ReasoningDelta(msgspec.Struct, frozen=True):
    """More visible thinking, or its signature."""

    text: str = ""
    signature: str = ""


class ToolCallDelta(msgspec.Struct, frozen=True):
    """A piece of tool call `index`: `id` and `name` come once, `arguments` in pieces."""

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""
    signature: str = ""


class Citation(msgspec.Struct, frozen=True):
    """A page that the answer's characters from `start` to `end` rest on; 0, 0 = no place is said."""

    url: str
    title: str = ""
    start: int = 0
    end: int = 0


class Cited(msgspec.Struct, frozen=True):
    """Sources of what has been said so far."""

    citations: tuple[Citation, ...]


class UsageSeen(msgspec.Struct, frozen=True):
    """Usage as known so far; the last one wins."""

    usage: Usage


class Finished(msgspec.Struct, frozen=True):
    """A finish reason was seen. `native` is the provider's own word."""

    reason: Finish
    native: str = ""


class Done(msgspec.Struct, frozen=True):
    """The wire's own end mark ([DONE], message_stop, response.completed, done:true)."""


class StreamError(msgspec.Struct, frozen=True):
    """An error event inside the stream."""

    error: MarketplaceError


class Malformed(msgspec.Struct, frozen=True):
    """An event that could not be understood: skipped and counted."""

    detail: str


class RanTool(msgspec.Struct, frozen=True):
    """A tool that ran on our side, whole: an event and a piece of a reply, on wires that have a form for it. server: whose it is."""

    id: str
    name: str
    server: str
    arguments: str
    output: str = ""
    is_error: bool = False


class AskedLeave(msgspec.Struct, frozen=True):
    """A call on our side that waits for the client's leave, on the wire that has a form for the question (Responses)."""

    id: str
    name: str
    server: str
    arguments: str


Event = (
    TextDelta
    | ReasoningDelta
    | ToolCallDelta
    | Cited
    | UsageSeen
    | Finished
    | Done
    | StreamError
    | Malformed
    | RanTool
    | AskedLeave
    | ImagePart
)


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A whole answer. `usage` None = the provider said nothing. `finish` None = no reason was given (a failure)."""

    parts: tuple[Part | RanTool | AskedLeave, ...]
    finish: Finish | None
    native_finish: str = ""
    usage: Usage | None = None
    upstream_id: str = ""
    upstream_model: str = ""
    citations: tuple[Citation, ...] = ()

    @property
    def text(self) -> str:
        """All text parts joined."""
        return "".join(p.text for p in self.parts if isinstance(p, TextPart))


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What our side puts into an answer towards a client: ids, names and, once known, cost. `created`: Unix seconds.

    echo: what the reply repeats of the request. tools: the client's, since some are called by another name at a provider.
    """

    id: str
    model: str
    created: int
    include_usage: bool | None = False
    provider: str = ""
    echo: Mapping[str, Any] = {}
    tools: tuple[Tool, ...] = ()


class OutboundCall(msgspec.Struct, frozen=True, kw_only=True):
    """What to send.

    path: relative to the base URL. headers: without auth.
    dropped: parameters that this wire has no room for. notes: what else was done with the caller's fields.
    """

    path: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    dropped: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()

    def told(self) -> tuple[Note, ...]:
        """Everything the receipt says of the caller's fields, bounded."""
        if not self.dropped and not self.notes:
            return ()
        return bounded((*self.notes, *left_out(self.dropped, "this provider can't be told that")))


class FailureClass(StrEnum):
    """What a provider's failure means for the plan (docs/routing.md has the table)."""

    RATE_LIMITED = "rate_limit_exceeded"
    OVERLOADED = "provider_overloaded"
    SERVER = "provider_unavailable"
    TIMEOUT = "timeout"
    AUTH = "authentication"
    OWN_KEY = "needs_reentry"
    QUOTA = "payment_required"
    NOT_FOUND = "not_found"
    BAD_REQUEST = "invalid_request"
    CONTEXT = "context_length_exceeded"
    OVERSIZED = "request_too_large"
    BUSY = "connections_busy"
    CONTENT = "content_policy_violation"
    UNSUPPORTED = "unprocessable"


class UpstreamFailure(Exception):
    """A provider's failure, classified. retry_after: seconds, None if not given; `words`: redacted, safe to show."""

    def __init__(
        self, kind: FailureClass, words: str, *, status: int = 0, retry_after: float | None = None
    ) -> None:
        super().__init__(words)
        self.kind = kind
        self.words = words
        self.status = status
        self.retry_after = retry_after


class StreamDecoder(Protocol):
    """Provider's stream -> events. Never raises on content; any chunking gives the same events; linear time."""

    def feed(self, data: bytes) -> list[Event]: ...

    def close(self) -> list[Event]:
        """The connection ended: flushes what is buffered."""
        ...


class StreamEncoder(Protocol):
    """Events -> a client's stream."""

    def start(self) -> bytes: ...

    def feed(self, events: Sequence[Event]) -> bytes:
        """Everything but the terminal event: `Finished`, `UsageSeen` and `Done` are kept back for `end`."""
        ...

    def end(self, finish: Finish, usage: Usage | None, extra: Mapping[str, Any]) -> bytes:
        """The terminal events; `extra` holds cost fields for wires that have room for them (`cost`, `balance_remaining`)."""
        ...

    def error(self, error: MarketplaceError, request_id: str) -> bytes:
        """A typed mid-stream error and whatever ends this wire."""
        ...


class Passthrough(Protocol):
    """A provider's stream on its way to a client of the same wire: only whole events leave, the terminal ones are held back."""

    def feed(self, data: bytes) -> tuple[bytes, list[Event]]:
        """(bytes that may leave now, events seen in them or held back)."""
        ...

    def close(self) -> tuple[bytes, list[Event]]: ...

    def end(self, usage: Usage | None, extra: Mapping[str, Any]) -> bytes: ...

    def error(self, error: MarketplaceError, request_id: str) -> bytes: ...


class FastPath(Protocol):
    """Client and provider speak the same wire: bodies pass, only what must differ is replaced."""

    def passes(self, call: Call) -> bool:
        """Whether a provider's answer to the call is in the client's own words, whoever wrote the request."""

    def takes(self, body: bytes, call: Call, *, max_tokens: int | None, moved: bool) -> bool:
        """Whether a provider of this wire takes the client's own words. moved: another model answers than was asked for."""

    def request(
        self,
        body: bytes,
        upstream_model: str,
        *,
        max_tokens: int | None = None,
        stream: bool,
        length_field: str = "",
    ) -> OutboundCall:
        """The provider's body from the client's. `max_tokens`: the output tokens that the hold buys; length_field: the model's own
        word for them. Raises BadRequest and UpstreamFailure(UNSUPPORTED)."""

    def reply(self, body: bytes, shape: Shape, usage: Usage | None, extra: Mapping[str, Any]) -> bytes:
        """The client's body from the provider's. Raises UpstreamFailure where the body is no JSON object."""

    def stream(self, shape: Shape, *, choices: int = 1) -> Passthrough:
        """choices: how many were asked for."""


class Codec(Protocol):
    """One wire, both directions. fast: None where the wire has no fast path."""

    name: WireName
    fast: FastPath | None

    def parse_request(self, body: bytes, *, model: str | None = None, stream: bool | None = None) -> Call:
        """A client's body (Gemini and Ollama pass model/stream apart). Raises BadRequest with words that name the field."""
        ...

    def render_reply(self, reply: Reply, shape: Shape, extra: Mapping[str, Any]) -> bytes: ...

    def render_error(self, error: MarketplaceError, request_id: str) -> bytes:
        """This wire's own error body (the status and Retry-After are the caller's to set)."""
        ...

    def encoder(self, shape: Shape) -> StreamEncoder: ...

    content_type_stream: str  # "text/event-stream" or "application/x-ndjson"

    def build_request(self, call: Call, upstream_model: str, *, stream: bool) -> OutboundCall:
        """Raises UpstreamFailure(UNSUPPORTED) where this wire cannot say what the call needs."""
        ...

    def parse_reply(self, body: bytes) -> Reply:
        """Raises UpstreamFailure for a body that is no answer (HTML, empty, an error object in a 200)."""
        ...

    def decoder(self) -> StreamDecoder: ...

    def classify_error(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure: ...

    def keep_alive(self) -> bytes:
        """A comment or empty event this wire's clients ignore."""
        ...
