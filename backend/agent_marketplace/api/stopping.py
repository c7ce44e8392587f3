"""The server's end cancels what still runs: whoever has not been answered yet is told so, in the shape of the wire it speaks."""

import asyncio

from fastapi import FastAPI
from starlette.requests import Request

from agent_marketplace.api.asgi import Message, Receive, Scope, Send
from agent_marketplace.api.envelope import refusal_of
from agent_marketplace.api.hot import App
from agent_marketplace.gateway.stopping import forgive_cancel
from agent_marketplace.net.drain import Drain


class Stopping:
    """Stands round the application. cold: what knows the wires' shapes."""

    def __init__(self, app: App, cold: FastAPI, drain: Drain) -> None:
        self._app = app
        self._cold = cold
        self._drain = drain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def sent(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, sent)
        except asyncio.CancelledError:
            refusal = self._drain.refusal()
            if begun or refusal is None or scope["type"] != "http":
                raise
            forgive_cancel()
            await refusal_of(Request({**scope, "app": self._cold}), refusal)(scope, receive, send)
