"""The embedded model's supervisor: one child process, started in the background, restarted with back-off, gone with us."""

import asyncio
import contextlib
import os
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import msgspec

from agent_marketplace.providers import models_install, table
from agent_marketplace.providers.endpoints import Endpoint
from agent_marketplace.providers.local_child import Orders
from agent_marketplace.providers.models_install import Installed

State = Literal["off", "absent", "starting", "ready", "failed"]
_SLOTS = 2
_CONTEXT = 8192
_LONGEST_BACKOFF_S = 60.0
_PASSED_ON = frozenset(
    {"PATH", "HOME", "LANG", "TMPDIR", "TEMP", "SYSTEMROOT", "PYTHONPATH", "LD_LIBRARY_PATH"}
)
_PASSED_KINDS = ("LC_", "OMP_", "GGML_", "COVERAGE_")


@dataclass(frozen=True, slots=True)
class LocalStatus:
    """Where the embedded model stands; `words`: why it is not ready, for a person. `model`: the id it serves."""

    state: State
    words: str = ""
    model: str = ""

    @property
    def ready(self) -> bool:
        """True while it answers."""
        return self.state == "ready"


class LocalModel:
    """Serves one GGUF from a child process. `on_change` is called in the loop at every change of state.

    start_limit_s: seconds a start may take; first_backoff_s: the first pause after a death, doubled up to 60 s.
    """

    def __init__(
        self,
        models_dir: Path,
        *,
        enabled: bool = True,
        on_change: Callable[[LocalStatus, Endpoint | None], None] = lambda _status, _endpoint: None,
        start_limit_s: float = 120.0,
        first_backoff_s: float = 1.0,
    ) -> None:
        self._models_dir = models_dir
        self._enabled = enabled
        self.on_change = on_change
        self._start_limit_s = start_limit_s
        self._first_backoff_s = first_backoff_s
        self._task: asyncio.Task[None] | None = None
        self._child: asyncio.subprocess.Process | None = None
        self._ready = asyncio.Event()
        self.status = LocalStatus("off", "the local model is switched off")
        self.first_start = (
            True  # until it has been up, or has failed, once: then nobody waits for it any more
        )
        self.endpoint: Endpoint | None = None

    @property
    def pid(self) -> int | None:
        """The child's process id while it lives."""
        return self._child.pid if self._child is not None and self._child.returncode is None else None

    def start(self) -> None:
        """Begins to bring the model up in the background; returns at once. Does nothing if it runs already."""
        if self._enabled and self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._supervise(), name="local-model")

    async def wait_ready(self, timeout_s: float) -> bool:
        """True once it answers; False after `timeout_s` seconds."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._ready.wait()
        except TimeoutError:
            return False
        return True

    async def stop(self) -> None:
        """Ends the child and the supervision, if they were started."""
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await self._end_child()
        self._become(LocalStatus("off", "the server is stopping"), None)

    def _become(self, status: LocalStatus, endpoint: Endpoint | None) -> None:
        if (status, endpoint) == (self.status, self.endpoint):
            return  # looked again, and found the same: not worth a line in the log
        self.status, self.endpoint = status, endpoint
        self.first_start = self.first_start and status.state in ("off", "starting")
        if status.ready:
            self._ready.set()
        else:
            self._ready.clear()
        self.on_change(status, endpoint)

    async def _supervise(self) -> None:
        pause = self._first_backoff_s
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            weights = models_install.served(self._models_dir)
            if reason := self._missing(weights):
                self._become(LocalStatus("absent", reason), None)
                await asyncio.sleep(_LONGEST_BACKOFF_S)
                continue
            assert weights is not None
            self._become(LocalStatus("starting", "the local model is starting", weights.id), None)
            words = await self._run(weights)
            await self._end_child()
            if loop.time() - began > _LONGEST_BACKOFF_S:
                pause = self._first_backoff_s
            self._become(LocalStatus("failed", f"the local model stopped: {words}", weights.id), None)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_BACKOFF_S)

    @staticmethod
    def _missing(weights: Installed | None) -> str:
        if find_spec("xllamacpp") is None:
            return "the local runtime is not installed: pip install 'ai-agent-marketplace[local]'"
        if weights is None:
            return "no weights are installed: agent-marketplace models install smollm2-135m"
        return ""

    async def _run(self, weights: Installed) -> str:
        """Starts the child, says so when it is ready, waits for its end. Gives the reason of the end."""
        key = secrets.token_urlsafe(32)
        orders = Orders(
            str(weights.path), weights.id, key, max(1, (os.cpu_count() or 1) - 1), _CONTEXT, _SLOTS
        )
        try:
            child = self._child = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "agent_marketplace.providers.local_child",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=environment(os.environ),
            )
        except OSError as e:
            return f"its process could not be started ({e.strerror})"
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            async with asyncio.timeout(self._start_limit_s):
                child.stdin.write(msgspec.json.encode(orders) + b"\n")
                await child.stdin.drain()
                reply = msgspec.json.decode(await child.stdout.readline() or b"{}", type=dict[str, str])
        except (TimeoutError, OSError, msgspec.DecodeError, ValueError):
            return "it did not come up"
        address = reply.get("address")
        if address is None:
            return reply.get("error") or "it ended while starting"
        endpoint = endpoint_of(address, key)
        self._become(LocalStatus("ready", "", weights.id), endpoint)
        code = await child.wait()
        return f"its process ended with code {code}"

    async def _end_child(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.communicate()


def environment(ours: Mapping[str, str]) -> dict[str, str]:
    """What the child's native code gets of our environment: no provider's key, no secret, nothing that it does not need."""
    passed = {name: ours[name] for name in ours if name in _PASSED_ON or name.startswith(_PASSED_KINDS)}
    brought = Path(sys.prefix) / "lib/openmp"  # libgomp, where set-up had to bring it (scripts/setup.sh)
    if brought.is_dir():
        passed["LD_LIBRARY_PATH"] = os.pathsep.join(
            filter(None, (str(brought), passed.get("LD_LIBRARY_PATH")))
        )
    return passed


def endpoint_of(address: str, key: str) -> Endpoint:
    """The local provider's endpoint: our own loopback, our own random key."""
    row = table.LOCAL
    return Endpoint(
        name=row.name,
        wire=row.wire,
        base_url=f"{address.rstrip('/')}/v1",
        auth=row.auth,
        abort_rule=row.abort,
        key=key,
        allow_private=True,
        byok=False,
    )
