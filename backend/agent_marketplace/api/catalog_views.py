"""The catalogue over HTTP: the whole list is encoded and compressed once per change, and answered with an ETag."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from agent_marketplace import json
from agent_marketplace.catalog import AIModel, MarketplaceRegistry

_GZIP_FROM = 1024


@dataclass(slots=True)
class _Encoded:
    body: bytes
    etag: str
    zipped: bytes | None = None


class CatalogView:
    """Encodes pages of models; keeps the last encoding of the whole list."""

    def __init__(self, registry: MarketplaceRegistry) -> None:
        self._registry = registry
        self._kept: tuple[tuple[AIModel, ...], dict[str, str], _Encoded] | None = None

    def answer(
        self, parameters: Mapping[str, str], if_none_match: str | None, accept_encoding: str
    ) -> Response:
        """GET /models. Raises BadRequest."""
        encoded = self._encoded({k: v for k, v in parameters.items() if v})
        headers = {"etag": encoded.etag, "cache-control": "no-cache", "vary": "accept-encoding"}
        if if_none_match is not None and encoded.etag in [
            tag.strip().removeprefix("W/") for tag in if_none_match.split(",")
        ]:
            return Response(status_code=304, headers=headers)
        body = encoded.body
        if takes_gzip(accept_encoding) and len(body) >= _GZIP_FROM:
            if encoded.zipped is None:
                encoded.zipped = gzip.compress(body, 6, mtime=0)
            body, headers = encoded.zipped, {**headers, "content-encoding": "gzip"}
        return Response(body, media_type="application/json", headers=headers)

    def _encoded(self, parameters: dict[str, str]) -> _Encoded:
        models = tuple(self._registry.get_all_models())
        kept = self._kept
        if kept is not None and kept[0] == models and kept[1] == parameters:
            return kept[2]
        page = self._registry.query(parameters)
        body = json.encode({"success": True, **page.to_dict()})
        encoded = _Encoded(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')
        if set(parameters) <= {"limit", "offset"}:
            self._kept = (models, parameters, encoded)
        return encoded


def takes_gzip(accept_encoding: str) -> bool:
    """Whether gzip is listed and not refused with `q=0` (RFC 9110, 12.5.3)."""
    for listed in accept_encoding.lower().split(","):
        name, _, weight = (part.strip() for part in listed.partition(";"))
        if name in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def view_of(request: Request) -> CatalogView:
    """The application's one view."""
    view: CatalogView = request.app.state.catalog_view
    return view
