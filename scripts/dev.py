"""The server, started anew whenever its code changes, beside Vite, which reloads the page by itself.

    .venv/bin/python scripts/dev.py [PORT]     the API on PORT (8000), the page on http://127.0.0.1:5173

Its data lies in .dev/ (MARKETPLACE_DATA_DIR for another place), so that trying things out never touches a real wallet.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CODE = ROOT / "backend" / "agent_marketplace"
KINDS = {".py", ".toml", ".json"}
STOPS_WITHIN_S = 20
LOOKS_EVERY_S = 0.5


def state() -> float:
    """Changes with every change of the code: the newest modification, and the number of files."""
    times = [p.stat().st_mtime for p in CODE.rglob("*") if p.suffix in KINDS and "web" not in p.parts]
    return max(times) + len(times)


def stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOPS_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def main(port: str) -> None:
    env = {"MARKETPLACE_DATA_DIR": str(ROOT / ".dev"), **os.environ}
    node = ROOT / ".tools" / "node" / "bin"
    page_env = {
        **env,
        "PATH": f"{node}{os.pathsep}{env['PATH']}",
        "MARKETPLACE_URL": f"http://127.0.0.1:{port}",
    }
    serve = [str(ROOT / ".venv" / "bin" / "agent-marketplace"), "serve", "--port", port]
    vite = ROOT / "frontend" / "node_modules" / ".bin" / "vite"  # not by npm, which does not pass on that it is to stop
    page = subprocess.Popen([str(vite)], cwd=ROOT / "frontend", env=page_env)
    server = subprocess.Popen(serve, env=env)
    seen = state()
    try:
        while page.poll() is None:
            time.sleep(LOOKS_EVERY_S)
            now = state()
            if now != seen:
                seen = now
                print("dev: the code has changed, starting the server anew", flush=True)
                stop(server)
                server = subprocess.Popen(serve, env=env)
    except KeyboardInterrupt:
        pass
    finally:
        stop(server)
        stop(page)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "8000")
