"""A page of the public web as text. SSRF-safe by the guarded client: https, vetted and pinned addresses, no redirects, limits."""

import asyncio
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from agent_marketplace import __version__
from agent_marketplace.net.errors import (
    AddressRefused,
    InvalidRequest,
    NetError,
    Redirected,
    TooLarge,
)
from agent_marketplace.net.http import OutboundClient, OutboundRequest, Timeouts
from agent_marketplace.runs.tools.base import Caller, Tool, ToolFailed, number_of, schema, text_of
from agent_marketplace.runs.tools.readable import readable
from agent_marketplace.runs.types import Got

MOST_BYTES = 2 * 1024 * 1024
_USUAL, _MOST = 8_000, 50_000
_CHARSET = re.compile(r"charset=\"?([A-Za-z0-9._-]{1,40})")
_TEXTS = (
    "application/json",
    "application/xml",
    "application/xhtml+xml",
    "application/rss+xml",
    "application/atom+xml",
)


class Fetch(Tool):
    """The tool. allow_private: tests on loopback alone."""

    name = "fetch"
    description = "Reads a public web page (https) and returns its text. Redirects are not followed."
    parameters = schema(
        {
            "url": {"type": "string", "description": "https://…"},
            "max_chars": {
                "type": "integer",
                "minimum": 100,
                "maximum": _MOST,
                "description": f"usually {_USUAL}",
            },
        },
        "url",
    )
    data = True

    def __init__(self, client: OutboundClient, *, allow_private: bool = False) -> None:
        self._client = client
        self._allow_private = allow_private

    async def run(self, given: Mapping[str, Any], caller: Caller) -> Got:
        """Raises ToolFailed."""
        url = text_of(given, "url", most=2_000).strip()
        most = number_of(given, "max_chars", 100, _MOST, _USUAL)
        try:
            kind, body = await self._read(url, caller)
        except Redirected as error:
            raise ToolFailed(
                f"the page answers with a redirect ({error.status}), which is not followed", "redirect"
            ) from None
        except (AddressRefused, InvalidRequest) as error:
            raise ToolFailed(f"this address may not be read: {error.message}", "address_refused") from None
        except TooLarge:
            raise ToolFailed(f"the page is larger than {MOST_BYTES} bytes", "too_large") from None
        except NetError as error:
            raise ToolFailed(f"the page could not be read: {error.message}", "unreachable") from None
        text = await asyncio.to_thread(_text, kind, body)
        shown = text[:most] + ("\n[cut here: the page is longer]" if len(text) > most else "")
        return Got(text=f"{url}\n{shown}" if shown.strip() else f"{url}\n[the page has no text]")

    async def _read(self, url: str, caller: Caller) -> tuple[str, bytes]:
        headers = {
            "accept": "text/html, text/plain;q=0.9, application/json;q=0.8",
            "user-agent": f"ai-agent-marketplace/{__version__}",
        }
        answer = await self._client.send(
            OutboundRequest(
                "GET", url, headers, timeouts=Timeouts(5, 15, 10, float(caller.timeout_s)), max_body=MOST_BYTES,
                allow_private=self._allow_private, owner=caller.user_id,
            )
        )  # fmt: skip
        try:
            kind = answer.headers.get("content-type", "text/plain").lower()
            if answer.status != 200:
                host = urlsplit(url).hostname
                raise ToolFailed(f"{host} answers with status {answer.status}", "status")
            if not (kind.startswith("text/") or kind.partition(";")[0].strip() in _TEXTS):
                raise ToolFailed(f"this is no text but {kind.partition(';')[0][:60]}", "not_text")
            return kind, await answer.read(MOST_BYTES)
        finally:
            answer.cancel()


def _text(kind: str, body: bytes) -> str:
    found = _CHARSET.search(kind)
    try:
        text = body.decode(found[1] if found else "utf-8", errors="replace")
    except LookupError:
        text = body.decode(errors="replace")
    return readable(text) if "html" in kind else text
