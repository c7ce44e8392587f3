"""A supervisor whose workers die: `python -m tests.fakes.supervise_main FOLDER DEATHS`, exit status 0 if it ended in order.

Each worker leaves a file in FOLDER; the first DEATHS of them then crash, the next has the supervisor stopped.
"""

import os
import signal
import sys
import tempfile
from pathlib import Path

from uvicorn._types import ASGI3Application

from agent_marketplace.net import server
from agent_marketplace.net.drain import Drain
from agent_marketplace.net.workers import Respawn, Supervisor


def app(_drain: Drain) -> ASGI3Application:
    folder, deaths = sys.argv[1:]
    tempfile.mkstemp(dir=folder)
    if len(list(Path(folder).iterdir())) <= int(deaths):
        os._exit(7)
    os.kill(os.getppid(), signal.SIGTERM)
    raise SystemExit(0)


if __name__ == "__main__":
    patient = Respawn(first_delay_s=0.0, deaths=1, within_s=0.0)
    with server.bind("127.0.0.1", 0) as sock:
        sys.exit(0 if Supervisor(app, sock, 1, respawn=patient).run() else 1)
