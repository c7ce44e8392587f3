"""The catalogue over HTTP: lists without a filter are encoded and compressed once per change, and answered with an ETag."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from agent_marketplace import json
from agent_marketplace.catalog import AIModel, MarketplaceRegistry
from agent_marketplace.catalog.snapshot import Freshness

_GZIP_FROM = 1024
_KEPT = 8  # encodings; anybody may ask for any page


@dataclass(slots=True)
class _Encoded:
    body: bytes
    etag: str
    zipped: bytes | None = None


class CatalogView:
    """Encodes pages of models; keeps the encodings of pages that no filter made."""

    def __init__(self, registry: MarketplaceRegistry) -> None:
        self._registry = registry
        self._of: tuple[tuple[AIModel, ...], Freshness] | None = None
        self._kept: dict[tuple[tuple[str, str], ...], _Encoded] = {}

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
        if takes("gzip", accept_encoding) and len(body) >= _GZIP_FROM:
            if encoded.zipped is None:
                encoded.zipped = gzip.compress(body, 6, mtime=0)
            body, headers = encoded.zipped, {**headers, "content-encoding": "gzip"}
        return Response(body, media_type="application/json", headers=headers)

    def _encoded(self, parameters: dict[str, str]) -> _Encoded:
        models = tuple(self._registry.get_all_models())
        of = (models, self._registry.prices_as_of())
        if of != self._of:
            self._of, self._kept = of, {}
        key = tuple(sorted(parameters.items()))
        if (kept := self._kept.get(key)) is not None:
            return kept
        page = self._registry.query(parameters)
        body = json.encode({"success": True, **page.to_dict()})
        encoded = _Encoded(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')
        if set(parameters) <= {"limit", "offset", "sort"} and len(self._kept) < _KEPT:
            self._kept[key] = encoded
        return encoded


def takes(coding: str, accept_encoding: str) -> bool:
    """Whether the coding is listed and not refused with `q=0` (RFC 9110, 12.5.3)."""
    for listed in accept_encoding.lower().split(","):
        name, _, weight = (part.strip() for part in listed.partition(";"))
        if name in (coding, "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def view_of(request: Request) -> CatalogView:
    """The application's one view."""
    view: CatalogView = request.app.state.catalog_view
    return view
