"""A real server process for tests: `python -m tests.fakes.serve_main HOST PORT WORKERS GRACE_S DATABASE_URL`.

GET /pid: the process's id. /die: kills it. /hang: blocks its event loop for good. /linger: takes ten minutes.
/stream?S: a piece every 50 ms for S seconds, then "end".
503 while draining, like the product. Every stream says on stdout when it began, was cancelled, and was settled.
"""

import asyncio
import os
import signal
import sys
import threading
from pathlib import Path

from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope

from agent_marketplace.cli.serve import serve
from agent_marketplace.net import server
from agent_marketplace.net.drain import Drain
from agent_marketplace.settings import Settings


def app(drain: Drain) -> ASGI3Application:
    if os.environ.get("TEST_CRASH"):
        os._exit(7)

    async def answer(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] == "lifespan":
            while True:
                kind = (await receive())["type"]
                if kind == "lifespan.shutdown":
                    print("closed", flush=True)
                await send({"type": f"{kind}.complete"})  # type: ignore[misc, arg-type]
                if kind == "lifespan.shutdown":
                    return
        assert scope["type"] == "http"
        status = 503 if drain.draining else 200
        await send({"type": "http.response.start", "status": status, "headers": []})
        body = str(os.getpid()).encode()
        if scope["path"] == "/die":
            os.kill(os.getpid(), signal.SIGKILL)
        if scope["path"] == "/hang":
            print("hangs", flush=True)
            threading.Event().wait()
        if scope["path"] == "/linger":
            await _stream(600, send)
        if scope["path"] == "/stream" and status == 200:
            with drain.call():
                await _stream(float(scope["query_string"]), send)
            body = b"end"
        await send({"type": "http.response.body", "body": body, "more_body": False})

    return answer


async def _settle() -> None:
    await asyncio.sleep(0.2)
    print("settled", flush=True)


async def _stream(seconds: float, send: ASGISendCallable) -> None:
    print("began", flush=True)
    try:
        for _ in range(round(seconds / 0.05)):
            await send({"type": "http.response.body", "body": b"piece;", "more_body": True})
            await asyncio.sleep(0.05)
    except asyncio.CancelledError:
        print("cancelled", flush=True)
        await asyncio.shield(_settle())
        raise


if __name__ == "__main__":
    host, port, workers, grace_s, url = sys.argv[1:]
    server.SETTLE_S = float(os.environ.get("TEST_SETTLE_S", server.SETTLE_S))
    settings = Settings(
        data_dir=Path("unused"), models_dir=Path("unused"), database_url=url, grace_s=float(grace_s)
    )
    sys.exit(serve(host, int(port), int(workers), settings=settings, app_factory=app))
