"""What never reaches anybody is no failure of the server's."""

import logging

import pytest
from fastapi import FastAPI
from starlette.requests import ClientDisconnect
from starlette.testclient import TestClient

from agent_marketplace.api import envelope


def test_a_caller_who_leaves_amid_a_body_writes_no_failure_into_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = FastAPI()
    envelope.install(app)

    @app.post("/")
    async def read() -> None:
        raise ClientDisconnect

    with caplog.at_level(logging.WARNING):
        assert TestClient(app).post("/").status_code == 499
    assert not caplog.records
