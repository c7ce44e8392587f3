"""The built web UI at `/`: hashed assets for ever, the page itself never cached, under a strict content security policy."""

import mimetypes
from pathlib import Path

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from agent_marketplace.api.catalog_views import takes_gzip
from agent_marketplace.api.paths import CATCH_ALL, is_api
from agent_marketplace.errors import NotFound

WEB = Path(__file__).parent.parent / "web"
CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
)
_SAFE = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
_NOT_BUILT = """<!doctype html><meta charset="utf-8"><title>AI Agent Marketplace</title>
<h1>AI Agent Marketplace</h1><p>The server runs; the web UI was not built.
Build it with <code>make setup</code>, or use the API: <a href="/docs">documentation</a>.</p>"""


def install(app: FastAPI, web: Path = WEB) -> None:
    """Serves files of `web`; any other path that is no API path gets the page, so that its own routes can be reloaded."""

    @app.api_route(CATCH_ALL, methods=["GET", "HEAD"], include_in_schema=False)
    async def page(request: Request, path: str) -> Response:
        if is_api(f"/{path}"):
            raise HTTPException(404)
        if not (web / "index.html").is_file():
            return HTMLResponse(_NOT_BUILT, headers=_SAFE)
        file = _inside(web, path)
        if file is None:
            if path.startswith("assets/"):
                raise NotFound("No such file")
            file = web / "index.html"
        return _send(request, file, hashed=path.startswith("assets/"))


def _inside(web: Path, path: str) -> Path | None:
    """The file below `web`, or None: nothing outside can be named."""
    if "\x00" in path or path.startswith("."):
        return None
    file = (web / path).resolve()
    if not file.is_relative_to(web.resolve()) or not file.is_file() or file.name.startswith("."):
        return None
    return file


def _send(request: Request, file: Path, *, hashed: bool) -> Response:
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    headers = {
        **_SAFE,
        "cache-control": "public, max-age=31536000, immutable" if hashed else "no-cache",
        "vary": "accept-encoding",
    }
    zipped = file.with_name(file.name + ".gz")
    if takes_gzip(request.headers.get("accept-encoding", "")) and zipped.is_file():
        return Response(zipped.read_bytes(), media_type=kind, headers={**headers, "content-encoding": "gzip"})
    return Response(file.read_bytes(), media_type=kind, headers=headers)
