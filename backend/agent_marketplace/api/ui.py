"""The built web UI at `/`: hashed assets for ever, the page itself never cached, under a strict content security policy."""

import mimetypes
from collections.abc import Mapping, Sequence
from pathlib import Path

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from agent_marketplace.api.catalog_views import takes
from agent_marketplace.api.paths import CATCH_ALL, is_api
from agent_marketplace.errors import NotFound

WEB = Path(__file__).parent.parent / "web"
_CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors "
)
# What a model wrote is drawn in a document without an origin, a network or a storage (frontend/diagram/); Mermaid's styles stand in it.
_DIAGRAM = "diagram.html"
_DIAGRAM_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "sandbox allow-scripts; frame-ancestors "
)
_NOT_BUILT = """<!doctype html><meta charset="utf-8"><title>AI Agent Marketplace</title>
<h1>AI Agent Marketplace</h1><p>The server runs; the web UI was not built.
Build it with <code>make setup</code>, or use the API: <a href="/docs">documentation</a>.</p>"""


def install(app: FastAPI, web: Path = WEB, *, frame_ancestors: Sequence[str] = ()) -> None:
    """Serves files of `web`; any other path that is no API path gets the page, so that its own routes can be reloaded.

    `frame_ancestors`: whose pages may show ours in a frame, besides our own.
    """
    framed_by = " ".join(("'self'", *frame_ancestors))
    safe = {
        "content-security-policy": _CSP + framed_by,
        "referrer-policy": "same-origin",
        "permissions-policy": "camera=(), microphone=(), geolocation=()",
    }

    @app.api_route(CATCH_ALL, methods=["GET", "HEAD"], include_in_schema=False)
    async def page(request: Request, path: str) -> Response:
        if is_api(f"/{path}"):
            raise HTTPException(404)
        if not (web / "index.html").is_file():
            return HTMLResponse(_NOT_BUILT, headers=safe)
        file = _inside(web, path)
        if file is None:
            if path.startswith("assets/"):
                raise NotFound("No such file")
            file = web / "index.html"
        page_headers = (
            safe if file.suffix == ".html" else {}
        )  # policies are a document's; files are small without
        if path == _DIAGRAM:
            page_headers = {**safe, "content-security-policy": _DIAGRAM_CSP + framed_by}
        return _send(request, file, page_headers, hashed=path.startswith("assets/"))


def _inside(web: Path, path: str) -> Path | None:
    """The file below `web`, or None: nothing outside can be named."""
    if "\x00" in path or path.startswith("."):
        return None
    file = (web / path).resolve()
    if not file.is_relative_to(web.resolve()) or not file.is_file() or file.name.startswith("."):
        return None
    return file


def _send(request: Request, file: Path, more: Mapping[str, str], *, hashed: bool) -> Response:
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    headers = {
        **more,
        "cache-control": "public, max-age=31536000, immutable" if hashed else "no-cache",
        "vary": "accept-encoding",
    }
    accepted = request.headers.get("accept-encoding", "")
    for coding, suffix in (("br", ".br"), ("gzip", ".gz")):
        packed = file.with_name(file.name + suffix)
        if takes(coding, accepted) and packed.is_file():
            headers["content-encoding"] = coding
            return Response(packed.read_bytes(), media_type=kind, headers=headers)
    return Response(file.read_bytes(), media_type=kind, headers=headers)
