"""The embedded model for real: it answers, comes back when it dies, and never outlives us."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from agent_marketplace.providers.endpoints import Endpoint
from agent_marketplace.providers.local import LocalModel, LocalStatus
from agent_marketplace.providers.models_install import DEMO, ModelsError, install
from agent_marketplace.settings import load


@pytest.fixture(scope="module")
def models_dir() -> Path:
    directory = load().models_dir
    try:
        install(directory)
    except ModelsError as e:
        pytest.skip(str(e))
    return directory


def ask(endpoint: Endpoint, key: str | None) -> dict[str, object]:
    body = {"model": DEMO.id, "messages": [{"role": "user", "content": "Say hi"}], "max_tokens": 4}
    headers = {"content-type": "application/json", **({"authorization": f"Bearer {key}"} if key else {})}
    request = urllib.request.Request(endpoint.url("chat/completions"), json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as response:
        answer: dict[str, object] = json.load(response)
    return answer


async def until(condition: asyncio.Event) -> None:
    async with asyncio.timeout(60):
        await condition.wait()


def alive(pid: int) -> bool:
    with contextlib.suppress(ProcessLookupError, ChildProcessError):
        os.kill(pid, 0)
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0]
    return False


def test_a_server_without_weights_says_so_once_and_not_every_minute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        looked = asyncio.Semaphore(0)
        monkeypatch.setattr("agent_marketplace.providers.local._LONGEST_BACKOFF_S", 0)
        monkeypatch.setattr("agent_marketplace.providers.models_install.served", lambda _: looked.release())
        seen: list[LocalStatus] = []
        model = LocalModel(tmp_path, on_change=lambda status, _: seen.append(status))
        model.start()
        async with asyncio.timeout(60):
            for _ in range(4):
                await looked.acquire()
        await model.stop()
        assert [status.state for status in seen] == ["absent", "off"]

    asyncio.run(story())


def test_the_model_answers_restarts_after_a_crash_and_ends_with_us(models_dir: Path) -> None:
    async def story() -> None:
        seen: list[LocalStatus] = []
        local = LocalModel(models_dir, on_change=lambda status, _: seen.append(status), first_backoff_s=0.05)
        local.start()
        local.start()
        assert await local.wait_ready(60)
        first, pid = local.endpoint, local.pid
        assert first is not None
        assert pid is not None
        answer = await asyncio.to_thread(ask, first, first.key)
        assert answer["usage"]["completion_tokens"] >= 1  # type: ignore[index]
        with pytest.raises(urllib.error.HTTPError) as refused:
            await asyncio.to_thread(ask, first, None)
        assert refused.value.code == 401
        refused.value.close()

        down = asyncio.Event()

        def changed(status: LocalStatus, _endpoint: Endpoint | None) -> None:
            seen.append(status)
            down.set()

        local.on_change = changed
        os.kill(pid, signal.SIGKILL)
        await until(down)
        assert await local.wait_ready(60)
        second, again = local.endpoint, local.pid
        assert second is not None
        assert again is not None
        assert second.key != first.key
        await asyncio.to_thread(ask, second, second.key)
        await local.stop()
        assert not alive(again)
        assert [s.state for s in seen] == ["starting", "ready", "failed", "starting", "ready", "off"]
        assert "code -9" in seen[2].words

    asyncio.run(story())


def test_the_child_dies_when_its_parent_is_killed(models_dir: Path) -> None:
    program = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from agent_marketplace.providers.local import LocalModel\n"
        "async def main():\n"
        "    local = LocalModel(Path(sys.argv[1]))\n"
        "    local.start()\n"
        "    await local.wait_ready(60)\n"
        "    print(local.pid, flush=True)\n"
        "    await asyncio.sleep(600)\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(models_dir)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert alive(child)
        parent.kill()
        parent.wait()
    watch = os.pidfd_open(child) if alive(child) else None
    if watch is not None:
        os.set_blocking(watch, False)
        import select

        assert select.select([watch], [], [], 20)[0], "the local model outlived its parent"
        os.close(watch)
    assert not alive(child)


def test_missing_weights_are_said_and_nothing_blocks(tmp_path: Path) -> None:
    async def story() -> None:
        local = LocalModel(tmp_path)
        changed = asyncio.Event()
        local.on_change = lambda _status, _endpoint: changed.set()
        local.start()
        await until(changed)
        assert local.status.state == "absent"
        assert "models install" in local.status.words
        assert not await local.wait_ready(0.01)
        await local.stop()

    asyncio.run(story())


def test_a_broken_weights_file_is_a_reason_not_a_hang(tmp_path: Path) -> None:
    (tmp_path / "broken.gguf").write_bytes(b"GGUF" + b"\0" * 1000)

    async def story() -> None:
        local = LocalModel(tmp_path, first_backoff_s=60)
        failed = asyncio.Event()
        local.on_change = lambda status, _: failed.set() if status.state == "failed" else None
        local.start()
        await until(failed)
        assert local.endpoint is None
        assert local.status.words.startswith("the local model stopped:")
        await local.stop()

    asyncio.run(story())


def test_a_switched_off_model_never_starts(tmp_path: Path) -> None:
    async def story() -> None:
        local = LocalModel(tmp_path, enabled=False)
        local.start()
        assert (local.pid, local.status.state) == (None, "off")
        await local.stop()

    asyncio.run(story())
