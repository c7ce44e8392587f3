"""The embedded model's own process: `python -m agent_marketplace.providers.local_child`.

Standard input carries one JSON line (`Orders`) and then stays open: when it ends, the parent is gone and so is this process.
Standard output carries one JSON line: `{"address": "http://127.0.0.1:PORT"}` or `{"error": "<words>"}`.
"""

import contextlib
import os
import sys
import threading

import msgspec


class Orders(msgspec.Struct, frozen=True):
    """What to serve. `context`: tokens over all slots; `slots`: parallel answers; `key`: what callers must show."""

    model: str
    alias: str
    key: str
    threads: int
    context: int
    slots: int


def _die_with_parent(source: int) -> None:
    while os.read(source, 4096):
        pass
    os._exit(0)


def _serve(orders: Orders) -> str:
    import xllamacpp  # type: ignore[import-untyped]  # 102 MB of native code: only this process pays for it

    params = xllamacpp.CommonParams()
    params.model.path = orders.model
    params.model_alias = {orders.alias}
    params.n_ctx = orders.context
    params.n_parallel = orders.slots
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = orders.threads
    params.verbosity = 0
    params.ui = False
    params.api_keys = [orders.key]
    params.port = 0
    server = xllamacpp.Server(params)
    globals()["_server"] = server  # the server stops when its last reference goes
    return str(server.listening_address)


def main() -> None:
    """Serves until standard input ends."""
    source = os.dup(0)
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(source, 1)
        if not piece:
            return
        line += piece
    threading.Thread(target=_die_with_parent, args=(source,), daemon=True).start()
    answer = os.dup(1)
    os.dup2(2, 1)  # llama.cpp may print; nothing of that may look like our answer
    with contextlib.suppress(OSError):
        os.nice(5)  # tokens come a little later; requests of everyone else do not
    try:
        reply = {"address": _serve(msgspec.json.decode(line, type=Orders))}
    except Exception as e:  # noqa: BLE001 (whatever the native code raises is told to the parent, which decides)
        words = f"{type(e).__name__}: {e}"[:300]
        if isinstance(e, ImportError) and "libgomp" in words:
            words = "its runtime needs libgomp: apt-get install libgomp1 (or make setup)"
        reply = {"error": words}
    os.write(answer, msgspec.json.encode(reply) + b"\n")
    if "error" in reply:
        sys.exit(1)
    threading.Event().wait()


if __name__ == "__main__":
    main()
