"""Only net/ opens outbound connections: one place vets every address."""

import ast
from collections.abc import Iterator

from rules.source import Breach, Source, name_of

_MODULES = {"aiohttp", "httpx", "httpx2", "requests", "urllib3", "niquests", "socket", "smtplib", "ftplib", "imaplib", "telnetlib",
            "websockets", "urllib.request", "http.client", "openai", "anthropic", "google.genai", "huggingface_hub", "ollama",
            "opentelemetry", "stripe"}  # fmt: skip
_CALLS = {
    "open_connection",
    "open_unix_connection",
    "create_connection",
    "create_datagram_endpoint",
    "sock_connect",
    "urlopen",
}
_REASONS: dict[str, str] = {
    "payments/stripe_checkout.py": "the SDK's transport is an OutboundClient; nothing else of it connects",
}


def check(source: Source) -> Iterator[Breach]:
    """Imports of what can connect, and the calls of asyncio that do."""
    if source.module is None or source.module.startswith("net/") or source.module in _REASONS:
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for name in sorted(_imported(node)):
                if any(name == module or name.startswith(module + ".") for module in _MODULES):
                    yield source.breach(node, f"{name} outside net/: send by an OutboundClient")
        elif isinstance(node, ast.Call) and name_of(node).rsplit(".", 1)[-1] in _CALLS:
            yield source.breach(node, f"{name_of(node)} outside net/: send by an OutboundClient")


def _imported(node: ast.Import | ast.ImportFrom) -> set[str]:
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    if node.level:
        return set()
    return {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
