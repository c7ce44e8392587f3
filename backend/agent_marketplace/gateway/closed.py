"""PURE: the closed world on the operator's money. Every field, part and tool of a call is understood and bounded, or it is not
sent and the receipt says so, or the target is refused by name before anything is held, where leaving it out would change the
answer. By what is allowed (`wires/*/vocabulary`, a provider's `options`), never by what is forbidden: the names in this module
only choose between the last two. The caller's own key sends what its owner pays for."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from agent_marketplace import json
from agent_marketplace.gateway.hosted import done_there, hosted, needed
from agent_marketplace.gateway.plan import Target
from agent_marketplace.ledger import Price, dollars
from agent_marketplace.net import ssrf
from agent_marketplace.providers.endpoints import Endpoint
from agent_marketplace.wires.base import Call, ImagePart, OpaquePart, OutboundCall, WireName
from agent_marketplace.wires.notes import left_out
from agent_marketplace.wires.shared.vocabulary import camel
from agent_marketplace.wires.vocabularies import VOCABULARIES

_SAYS = frozenset(
    {
        "service_tier", "speed", "inference_geo", "web_search_options", "plugins", "search_parameters", "enable_search",
        "search_options", "search_settings", "venice_parameters", "compound_custom", "documents", "citation_options",
        "mcp_servers", "container", "cached_content", "previous_response_id", "conversation", "background", "prompt",
        "compaction",
    }
)  # fmt: skip
"""Options by which an answer is another one, or comes another way: without them the caller would not get what was asked for."""
_USUAL = frozenset(
    {
        "auto",
        "default",
        "standard",
        "standard_only",
        "global",
        "on_demand",
        "unspecified",
        "service_tier_unspecified",
    }
)
_OBJECTS = frozenset({"file_id", "fileId", "audio"})
"""Things that lie in the account of whoever's key is used: nobody can tell whose they are."""
_STORE = frozenset({"store"})
_OPERATORS_FILES = ("https://generativelanguage.googleapis.com/", "gs://")
_ADDRESSES = frozenset(
    {
        "url",
        "uri",
        "file_uri",
        "file_url",
        "image_url",
        "video_url",
        "audio_url",
        "document_url",
        "input_audio",
    }
)
_TOOL = re.compile(r"tools\[\d+\](?:\.(\w+))?")
_CAPITAL = re.compile(r"(?<=[a-z0-9])([A-Z])")
_NOT_UNDERSTOOD = "it is not understood here, so it is not sent on the operator's key"
OWN_KEY = "use your own key for it"


def left_out_because(
    call: Call, target: Target, endpoint: Endpoint, wire: WireName
) -> tuple[str, str] | None:
    """(code, words) where a target can't be sent this call, before anything is held; None where it can."""
    if (words := leads_inside(call, endpoint)) is not None:
        return "unsupported", words
    if target.credential == "operator" and (words := refusal(call, endpoint, wire)) is not None:
        return "unpriced_option", words
    return None


def refusal(call: Call, endpoint: Endpoint, wire: WireName) -> str | None:
    """Why a call can't go to the endpoint on the operator's key, in words that name the field; None where it can.

    wire: the one it would be told on.
    """
    for name, value in call.extra.items():
        spelt = _snake(name)
        if spelt in _SAYS and not _usual(value) and _lost(name, value, endpoint, wire):
            return f"{name} is billed apart by {endpoint.name} or lies in its account: {OWN_KEY}"
    if (tool := needed(call)) is not None:
        return f"{tool} is run and billed apart by {endpoint.name}: {OWN_KEY}"
    if (kind := _unknown_item(call)) is not None:
        return f"an input item of type {kind} is not understood here: {OWN_KEY}"
    if call.strange:
        return f"{call.strange[0]} is no content that is understood here: {OWN_KEY}"
    for place in call.unread:
        if place.rpartition(".")[2] in _OBJECTS:
            return f"{place} names something in the account at {endpoint.name}: {OWN_KEY}"
    if call.wire == "gemini" and any(address.startswith(_OPERATORS_FILES) for address in _files(call)):
        return f"fileData names a file in the account at {endpoint.name}: {OWN_KEY}"
    return None


def _unknown_item(call: Call) -> str | None:
    """A Responses item that is neither understood nor a hosted tool's account of itself, which can be left out."""
    if call.wire != "responses" or not call.unread:
        return None
    items = (p for m in call.messages for p in m.parts if isinstance(p, OpaquePart))
    return next((p.kind for p in items if not p.kind.startswith("input_") and not done_there(p)), None)


def _files(call: Call) -> Iterator[str]:
    for message in call.messages:
        for part in message.parts:
            if isinstance(part, OpaquePart):
                yield from _addresses(part.value)


def leads_inside(call: Call, endpoint: Endpoint) -> str | None:
    """Why a call can't go to an endpoint on a private network, whose server would fetch the addresses that it names; None
    where it can, whoever pays."""
    if not endpoint.allow_private:
        return None
    for message in call.messages:
        for part in message.parts:
            if isinstance(part, ImagePart) and part.url and ssrf.leads_inside(part.url):
                return "an image's URL leads into the provider's own network: send the image itself"
            if isinstance(part, OpaquePart) and any(ssrf.leads_inside(u) for u in _addresses(part.value)):
                return f"a {part.kind} URL leads into the provider's own network: send its content itself"
    return None


def _addresses(value: Any, name: str = "") -> Iterator[str]:
    """Texts in places where a provider looks for an address."""
    if isinstance(value, str):
        if name in _ADDRESSES:
            yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _addresses(inner, _snake(key))
    elif isinstance(value, list):
        for inner in value:
            yield from _addresses(inner, name)


def _lost(name: str, value: Any, endpoint: Endpoint, wire: WireName) -> bool:
    """Whether a value would not reach the provider."""
    return name not in _options(endpoint, wire) or not VOCABULARIES[wire].fits(name, value)


def _options(endpoint: Endpoint, wire: WireName) -> frozenset[str]:
    """Compatible providers differ in what they take; on the other wires the wire's own vocabulary says it."""
    return endpoint.options if wire == "openai" else VOCABULARIES[wire].options


def _usual(value: Any) -> bool:
    """A value that asks for what everybody gets."""
    if isinstance(value, str):
        return value.lower() in _USUAL
    return value in (None, False, [])


def _snake(name: str) -> str:
    return _CAPITAL.sub(lambda m: f"_{m[1]}", name).lower()


# -- what leaves ------------------------------------------------------------------------------------------------------


def closed(out: OutboundCall, call: Call, wire: WireName, endpoint: Endpoint) -> OutboundCall:
    """The request as it leaves on the operator's key. Raises UpstreamFailure(UNSUPPORTED) for lost content.

    Where client and provider speak the same wire, what the codec does not understand may stand in the request: in the
    client's own bytes, in options and in content without a canonical name. Elsewhere the codec has written all of it.
    """
    unread, body = call.unread, out.body
    tools = {t.name for t in call.tools if hosted(t, call.wire)} if call.tools else set[str]()
    if call.wire == wire and (unread or call.extra or tools or call.wire == "responses"):
        off = _STORE if endpoint.unstored or wire == "responses" else frozenset[str]()
        body, cut = VOCABULARIES[wire].closed(
            out.body, _options(endpoint, wire), deep=bool(unread or tools), off=off
        )
        unread += cut
    elif endpoint.unstored and wire == "openai":
        body = out.body[:-1] + b',"store":false}'  # the codec names no such field
    if not unread and body is out.body:
        return out
    places = (p for p in unread if not (tools and _is_tool(p, tools)))  # those are told by name
    return msgspec.structs.replace(out, body=body, notes=out.notes + left_out(places, _NOT_UNDERSTOOD))


def at_list_price(out: OutboundCall, price: Price) -> OutboundCall:
    """The request to a reseller that may pay others no more than the list price, at whatever tier (OpenRouter, "Provider routing",
    `max_price`: dollars per million tokens). Else it goes to whom it likes, at prices above those that are held and charged."""
    dearest = {
        name: dollars(max(getattr(price, name), *(getattr(t, name) or 0 for t in price.tiers), 0))
        for name in ("input", "output")
    }
    most = {"max_price": {"prompt": dearest["input"], "completion": dearest["output"]}}
    return msgspec.structs.replace(out, body=out.body[:-1] + b',"provider":' + json.encode(most) + b"}")


def _is_tool(place: str, names: set[str]) -> bool:
    found = _TOOL.fullmatch(place)
    return found is not None and (not found[1] or camel(found[1]) in names)
