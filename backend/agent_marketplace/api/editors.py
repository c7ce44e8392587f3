"""The extension for VS Code and its forks, as this server's own build made it: whoever can reach the server can install it."""

from pathlib import Path
from typing import Any

from fastapi import Response

from agent_marketplace import json
from agent_marketplace.api.deps import Router
from agent_marketplace.api.envelope import success
from agent_marketplace.api.replies import ExtensionVersion
from agent_marketplace.api.ui import WEB
from agent_marketplace.errors import NotFound

router = Router(prefix="/editors/vscode", tags=["editors"])
FOLDER = WEB / "editors" / "vscode"
_PACKAGE = "extension.vsix"
_VERSION = "version.json"
_KIND = "application/vsix"


@router.get("", summary="The extension for VS Code (.vsix)", response_class=Response)
async def extension() -> Response:
    version = _version()["version"]
    headers = {
        "content-disposition": f'attachment; filename="agent-marketplace-{version}.vsix"',
        "x-extension-version": version,
        "cache-control": "no-cache",
    }
    return Response(_read(_PACKAGE), media_type=_KIND, headers=headers)


@router.get(
    "/version", summary="Which version of the extension is here", responses={200: {"model": ExtensionVersion}}
)
async def version() -> Response:
    return success(**_version())


def _version() -> dict[str, Any]:
    found: dict[str, Any] = json.decode(_read(_VERSION))
    return found


def _read(name: str) -> bytes:
    file: Path = FOLDER / name
    if not file.is_file():
        raise NotFound(
            "This server has no extension for VS Code: it was set up without the web UI (make setup)"
        )
    return file.read_bytes()
