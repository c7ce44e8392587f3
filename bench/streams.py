"""What thousands of open streams cost: `PYTHONPATH=backend python bench/streams.py [streams] [seconds] [gen0,gen1,gen2]`.

Each stream brings a chunk a second, which says when it was sent. Printed: CPU of the server (user and system, all threads) for each
chunk, how late chunks come, its longest stall (as in `bench/stalls.py`), memory a stream. The provider and the callers are
processes of their own. The last argument sets the collector's thresholds in place of the server's own.
"""

import asyncio
import json
import multiprocessing as mp
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import stalls

RAMP_S = 6.0
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def _many_files() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def provide(port: int, seconds: int) -> None:
    """A provider of streams: a chunk a second for so long."""
    _many_files()

    def event(delta: dict[str, str], finish: str | None = None, **more: Any) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": stalls.GPT, "choices": [choice]} | more
        data = b"data: " + json.dumps(chunk).encode() + b"\n\n"
        return b"%x\r\n%b\r\n" % (len(data), data)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
        writer.write(_HEAD)
        began = time.monotonic()
        for tick in range(seconds):
            writer.write(event({"content": f"{time.time():.4f} "}))
            await asyncio.sleep(max(0.0, began + tick + 1 - time.monotonic()))
        usage = {"prompt_tokens": 9, "completion_tokens": seconds, "total_tokens": 9 + seconds}
        writer.write(event({}, "stop", usage=usage) + b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")
        writer.close()

    async def run() -> None:
        async with await asyncio.start_server(answer, "127.0.0.1", port, backlog=8192) as server:
            await server.serve_forever()

    asyncio.run(run())


def call(port: int, key: str, streams: int, told: Any, seen: Any) -> None:
    """Opens the streams over RAMP_S seconds, reads them to their ends, tells (whole, how late each chunk came in seconds); seen:
    the chunks so far."""
    _many_files()
    late: list[float] = []
    whole = 0
    body = json.dumps({"model": stalls.GPT, "stream": True, "max_tokens": 400, "messages": [{"role": "user", "content": "hi"}]})
    asked = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n\r\n{body}"
    ).encode()

    async def one(place: int) -> None:
        nonlocal whole
        await asyncio.sleep(place * RAMP_S / streams)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(asked)
        async for line in reader:
            if b'"content":"' in line or b'"content": "' in line:
                sent = line.partition(b'"content":')[2].lstrip(b' "').partition(b" ")[0]
                late.append(time.time() - float(sent))
                seen.value += 1
            elif b"[DONE]" in line:
                whole += 1
                break
        writer.close()

    async def run() -> None:
        await asyncio.gather(*(one(i) for i in range(streams)), return_exceptions=True)

    asyncio.run(run())
    told.put((whole, late))


def _used(pid: int) -> float:
    """CPU seconds of all threads of a process."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main(streams: int, seconds: int, collect: tuple[int, ...] | None) -> None:
    """Runs it once and prints what it found."""
    _many_files()
    spawn = mp.get_context("spawn")
    stall, key = spawn.Value("d", 0.0, lock=False), spawn.Array("c", 200, lock=False)
    seen = spawn.Value("q", 0, lock=False)
    port, upstream, told = stalls.free_port(), stalls.free_port(), spawn.Queue()
    with tempfile.TemporaryDirectory() as home:
        provider = spawn.Process(target=provide, args=(upstream, seconds), daemon=True)
        server = spawn.Process(target=stalls.serve, args=(home, port, upstream, key, stall, collect), daemon=True)
        for child in (provider, server):
            child.start()
        try:
            while not key.value or stalls.ask(port, "/v1/messages/count_tokens", key.value.decode(), stalls.SMALL) != 200:
                time.sleep(0.2)
            before = _resident(server.pid or 0)
            caller = spawn.Process(target=call, args=(port, key.value.decode(), streams, told, seen), daemon=True)
            caller.start()
            time.sleep(RAMP_S + 4)
            stall.value, first, at, used = 0.0, seen.value, time.monotonic(), _used(server.pid or 0)
            time.sleep(max(2.0, seconds - RAMP_S - 5))
            window, used, stalled = time.monotonic() - at, _used(server.pid or 0) - used, stall.value
            chunks = seen.value - first
            held = _resident(server.pid or 0) - before
            whole, late = told.get(timeout=60)
        finally:
            for child in (server, provider):
                child.terminate()
                child.join(20)
    late.sort()
    at_ms = [late[min(len(late) - 1, int(len(late) * part))] * 1e3 for part in (0.5, 0.99, 0.999)]
    print(
        f"{streams} streams, {whole} whole; collector {collect or 'as served'}: {used / chunks * 1e6:.0f} us of CPU a chunk, "
        f"{chunks / window:.0f} chunks a second, "
        f"{used / window * 100:.0f} % of a core; late p50 {at_ms[0]:.0f}, p99 {at_ms[1]:.0f}, p99.9 {at_ms[2]:.0f} ms (wall); "
        f"longest stall {stalled * 1e3:.0f} ms of CPU; {held / streams / 1024:.0f} kB a stream; load {os.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    given = sys.argv[1:]
    thresholds = tuple(int(n) for n in given[2].split(",")) if len(given) > 2 else None
    main(int(given[0]) if given else 2_000, int(given[1]) if len(given) > 1 else 20, thresholds)
