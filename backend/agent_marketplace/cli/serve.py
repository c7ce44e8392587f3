"""`agent-marketplace serve`: binds, says where, runs until stopped."""

import errno
import os
import sys

from uvicorn._types import ASGI3Application

from agent_marketplace.net import server
from agent_marketplace.net.drain import Drain
from agent_marketplace.net.guard import Limits
from agent_marketplace.net.workers import Supervisor
from agent_marketplace.settings import Settings

USAGE = 2


def serve(
    host: str,
    port: int,
    workers: int,
    *,
    settings: Settings,
    app_factory: server.AppFactory,
    limits: Limits | None = None,
) -> int:
    """Serves until a stop signal and returns the exit status: 0 orderly, 1 forced or crashed, 2 could not begin.

    app_factory must be importable by name where workers > 1: each worker is a fresh process.
    """
    if workers > 1 and settings.embedded:
        return _refuse(
            "SQLite serves from one process. For more workers use PostgreSQL: set DATABASE_URL=postgresql://user@host/name, "
            "run `agent-marketplace migrate`, then start again."
        )
    if workers < 1:
        return _refuse("--workers must be at least 1.")
    try:
        sock = server.bind(host, port)
    except OSError as e:
        return _refuse(_why(e, host, port))
    shown = f"[{host}]" if ":" in host else host
    words = f"AI Agent Marketplace: http://{shown}:{sock.getsockname()[1]} (Ctrl-C stops it)"
    trusted = os.environ.get("FORWARDED_ALLOW_IPS") or None

    def announced(drain: Drain) -> ASGI3Application:
        made = app_factory(drain)
        print(words, flush=True)  # not before it is sure that there is something to serve
        return made

    with sock:
        if workers == 1:
            orderly = server.run(
                announced, sock, grace_s=settings.grace_s, limits=limits, trusted_proxies=trusted
            )
        else:
            print(words, flush=True)
            orderly = Supervisor(
                app_factory, sock, workers, grace_s=settings.grace_s, limits=limits, trusted_proxies=trusted
            ).run()
    return 0 if orderly else 1


def _why(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is taken by another program. Stop that program, or choose another port: "
            f"`agent-marketplace serve --port {port + 1}` (or `make run PORT={port + 1}`)."
        )
    if error.errno == errno.EACCES:
        return f"Port {port} needs more rights than this user has. Choose a port above 1023, for example --port 8000."
    return f"Can't listen on {host}:{port}: {error.strerror or error}. Check --host and --port."


def _refuse(words: str) -> int:
    print(words, file=sys.stderr, flush=True)
    return USAGE
