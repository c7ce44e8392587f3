"""Starting and stopping, in real processes: nothing is cut that could have ended, nothing stays unsettled or behind."""

import contextlib
import http.client
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

BACKEND = Path(__file__).parents[2]
SQLITE = "sqlite:///unused.db"
POSTGRES = "postgresql+psycopg://unused"
LIMIT_S = 20.0


class Process:
    def __init__(
        self, workers: int = 1, grace_s: float = 5.0, url: str = POSTGRES, port: int = 0, env: str = ""
    ) -> None:
        self.popen = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.fakes.serve_main",
                "127.0.0.1",
                str(port),
                str(workers),
                str(grace_s),
                url,
            ],
            cwd=BACKEND,
            env={**os.environ, **({env: "1"} if env else {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self.seen: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.popen.stdout is not None
        for line in self.popen.stdout:
            self._lines.put(line.strip())

    def until(self, pattern: str) -> str:
        """Waits for a line of its output."""
        while True:
            line = self._lines.get(timeout=LIMIT_S)
            self.seen.append(line)
            if re.search(pattern, line):
                return line

    def started(self) -> "Process":
        self.port = int(self.until("http://").split(":")[3].split()[0])
        return self

    def open(self, path: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT_S)
        connection.request("GET", path, headers={"connection": "close"})
        return connection.getresponse()

    def get(self, path: str) -> tuple[int, str]:
        with self.open(path) as answer:
            return answer.status, answer.read().decode()

    def end(self) -> tuple[int, list[str], str]:
        """(exit status, lines of output, errors) once it has ended."""
        status = self.popen.wait(LIMIT_S)
        assert self.popen.stderr is not None
        errors = self.popen.stderr.read()
        while not self._lines.empty():
            self.seen.append(self._lines.get())
        return status, self.seen, errors


@contextlib.contextmanager
def running(*arguments: object, **options: object) -> Iterator[Process]:
    process = Process(*arguments, **options)  # type: ignore[arg-type]
    try:
        yield process
    finally:
        if process.popen.poll() is None:
            process.popen.kill()
            process.popen.wait()
        for stream in (process.popen.stdout, process.popen.stderr):
            if stream is not None:
                stream.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_server_stops_with_status_0(number: signal.Signals) -> None:
    with running() as process:
        process.started()
        assert process.get("/pid") == (200, str(process.popen.pid))
        process.popen.send_signal(number)
        status, lines, _ = process.end()
        assert (status, lines[-1]) == (0, "closed")


def test_a_stream_ends_in_full_while_new_requests_get_503() -> None:
    with running() as process:
        process.started()
        stream = process.open("/stream?1.5")
        process.until("began")
        process.popen.terminate()
        deadline = time.monotonic() + LIMIT_S
        while process.get("/pid")[0] != 503:
            assert time.monotonic() < deadline
        assert stream.read().endswith(b"piece;end")
        status, lines, _ = process.end()
        assert status == 0
        assert "cancelled" not in lines


def test_who_goes_on_asking_a_server_that_drains_does_not_use_up_its_grace() -> None:
    with running(grace_s=600.0) as process:
        process.started()
        stream = process.open("/stream?1.5")
        process.until("began")
        process.popen.terminate()
        deadline = time.monotonic() + LIMIT_S
        while process.get("/pid")[0] != 503:
            assert time.monotonic() < deadline
        late = process.open("/linger")
        assert stream.read().endswith(b"piece;end")
        with contextlib.suppress(http.client.IncompleteRead):
            late.read()
        assert process.end()[0] == 0


def test_a_stream_that_outlasts_the_grace_is_cancelled_and_settled_before_the_app_closes() -> None:
    with running(grace_s=1.0) as process:
        process.started()
        stream = process.open("/stream?600")
        process.until("began")
        process.popen.terminate()
        status, lines, _ = process.end()
        assert status == 0
        assert lines[-3:] == ["cancelled", "settled", "closed"]
        stream.close()


def test_a_second_signal_does_not_wait_for_the_grace_but_still_settles() -> None:
    with running(grace_s=600.0) as process:
        process.started()
        stream = process.open("/stream?600")
        process.until("began")
        process.popen.send_signal(signal.SIGINT)
        while process.get("/pid")[0] != 503:
            pass
        process.popen.send_signal(signal.SIGINT)
        status, lines, _ = process.end()
        assert status == 1
        assert lines[-3:] == ["cancelled", "settled", "closed"]
        stream.close()


def test_a_taken_port_is_named_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with running(port=port) as process:
            status, lines, errors = process.end()
            assert (status, lines) == (2, [])
            assert f"Port {port} on 127.0.0.1 is taken" in errors
            assert f"--port {port + 1}" in errors


def test_several_workers_on_sqlite_are_refused_with_words_that_point_to_postgresql() -> None:
    with running(workers=2, url=SQLITE) as process:
        status, _, errors = process.end()
        assert status == 2
        assert "PostgreSQL" in errors
        assert "DATABASE_URL" in errors


def test_a_killed_worker_is_replaced_and_the_others_go_on() -> None:
    with running(workers=2) as process:
        process.started()
        first = process.get("/pid")[1]
        with contextlib.suppress(http.client.HTTPException, ConnectionError):
            process.get("/die")
        pids = set()
        deadline = time.monotonic() + LIMIT_S
        while len(pids) < 2:
            pids.add(process.get("/pid")[1])
            assert time.monotonic() < deadline, (first, pids)
        process.popen.terminate()
        status, lines, _ = process.end()
        assert status == 0
        assert lines.count("closed") == 2


def test_workers_drain_their_streams_on_one_signal() -> None:
    with running(workers=2) as process:
        process.started()
        streams = [process.open("/stream?1") for _ in range(4)]
        process.popen.terminate()
        assert all(stream.read().endswith(b"piece;end") for stream in streams)
        assert process.end()[0] == 0


def test_workers_that_die_at_once_do_not_loop_for_ever() -> None:
    with running(workers=2, env="TEST_CRASH") as process:
        assert process.end()[0] == 1


def test_a_worker_whose_event_loop_hangs_is_killed_once_its_time_is_over() -> None:
    with running(workers=2, grace_s=0.0, env="TEST_SETTLE_S") as process:
        process.started()
        with socket.create_connection(("127.0.0.1", process.port)) as client:
            client.sendall(b"GET /hang HTTP/1.1\r\nhost: x\r\n\r\n")
            process.until("hangs")
            process.popen.terminate()
            assert process.end()[0] == 1


def test_workers_that_die_now_and_then_are_replaced_for_ever(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "tests.fakes.supervise_main", str(tmp_path), "3"]
    assert subprocess.run(words, cwd=BACKEND, timeout=60, check=False).returncode == 0
    assert len(list(tmp_path.iterdir())) == 4


def test_workers_do_not_outlive_a_killed_supervisor() -> None:
    with running(workers=2) as process:
        process.started()
        pids = set()
        while len(pids) < 2:
            pids.add(int(process.get("/pid")[1]))
        process.popen.kill()
        deadline = time.monotonic() + LIMIT_S
        while any(_alive(pid) for pid in pids):
            assert time.monotonic() < deadline
            time.sleep(0.02)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return True
