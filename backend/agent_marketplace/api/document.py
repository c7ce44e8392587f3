"""The OpenAPI document without a server: for `agent-marketplace openapi` and the drift test."""

import json
import tempfile
from pathlib import Path

from agent_marketplace import settings
from agent_marketplace.api.server import cold
from agent_marketplace.app import build


def document_text() -> str:
    """The document as stable, indented JSON."""
    with tempfile.TemporaryDirectory() as folder:
        market = build(
            settings.load({"MARKETPLACE_DATA_DIR": str(Path(folder)), "MARKETPLACE_LOCAL_MODEL": "off"})
        )
        try:
            return json.dumps(cold(market).openapi(), indent=1, sort_keys=True) + "\n"
        finally:
            market.accounts.close()
            market.db.close()
