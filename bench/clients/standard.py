"""LangChain's standard tests (`langchain-tests`, pinned below) against our server and the scripted provider. By hand or nightly:

    make langchain-tests                      # all classes; installs what is missing into .tools/clients
    .venv/bin/python bench/clients/standard.py -k TestAnthropicGpt

Ends with pytest's own status; 1 too where a request came to the provider that it would have refused.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import lab
from provider import provider

SUITE = ("pypi:langchain-tests", "1.1.9")
BESIDE = [
    "langchain-openai==1.7.4",
    "langchain-anthropic==1.7.10",
    "langchain-ollama==1.1.0",
    "pytest-asyncio==1.5.0",
]
LIMIT_S = 900
PROGRAM = Path(__file__).parent / "programs" / "langchain_standard.py"
LOOPS = [f"asyncio_default_{kind}_loop_scope=session" for kind in ("fixture", "test")]


def main(more: list[str]) -> int:
    """more: arguments for pytest."""
    installed = lab.install("langchain-standard", *SUITE, BESIDE)
    folder = Path(tempfile.mkdtemp(prefix="langchain-tests-"))
    try:
        with provider() as (upstream, journal), lab.market(upstream, folder / "data") as (origin, key):
            words = [
                str(installed / "bin" / "python"),
                "-m",
                "pytest",
                "-q",
                "--tb=short",
                "-p",
                "no:cacheprovider",
            ]
            for setting in ("asyncio_mode=auto", "python_files=*.py", *LOOPS):
                words += ["-o", setting]
            env = {
                "PATH": os.environ["PATH"],
                "HOME": str(folder),
                "BASE": origin,
                "KEY": key,
                "PYTHONDONTWRITEBYTECODE": "1",
            }
            ended = subprocess.run(
                [*words, str(PROGRAM), *more], env=env, cwd=folder, timeout=LIMIT_S, check=False
            )
            refused = [line for line in journal.take() if line["refused"]]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for line in refused[:10]:
        print(f"the provider refused: {line['wire']} {line['model']}: {line['refused']}")
    return ended.returncode or bool(refused)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
