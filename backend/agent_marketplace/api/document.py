"""The OpenAPI document without a server: for `agent-marketplace openapi` and the drift test."""

import json
import tempfile
from pathlib import Path

from fastapi import FastAPI

from agent_marketplace import settings
from agent_marketplace.api.hot import Hot
from agent_marketplace.api.server import create
from agent_marketplace.app import build


def document_text() -> str:
    """The document as stable, indented JSON."""
    with tempfile.TemporaryDirectory() as folder:
        market = build(settings.load({"MARKETPLACE_DATA_DIR": str(Path(folder)), "MARKETPLACE_LOCAL_MODEL": "off"}))
        try:
            app = create(market)
            if not isinstance(app, Hot) or not isinstance(app.cold, FastAPI):
                raise TypeError("the application is the hot path in front of FastAPI")
            return json.dumps(app.cold.openapi(), indent=1, sort_keys=True) + "\n"
        finally:
            market.accounts.close()
            market.db.close()
