"""S12: a version that is younger than a week does not get into the locks by `make lock`."""

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "scripts" / "lock.sh"
COMPILE = """#!/bin/sh
echo "compile $*" >> "$LOG"
while [ "$1" != -o ]; do shift; done
echo new > "$2"
"""
PYTHON = """#!/bin/sh
echo "python $*" >> "$LOG"
case "$*" in *" download "*) exit "$VERDICT";; esac
"""


@pytest.mark.parametrize("verdict", [0, 1], ids=["old enough", "too young"])
def test_a_version_that_pip_finds_too_young_leaves_the_locks_as_they_were(
    tmp_path: Path, verdict: int
) -> None:
    programs, locks, log = tmp_path / ".venv/bin", tmp_path / "backend/requirements", tmp_path / "log"
    for folder in (programs, locks, tmp_path / "scripts"):
        folder.mkdir(parents=True)
    shutil.copy(SCRIPT, tmp_path / "scripts")
    for name, text in (("pip-compile", COMPILE), ("python", PYTHON)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    for name in ("run", "dev"):
        (locks / f"{name}.lock").write_text("old\n")
    env = {"PATH": "/usr/bin:/bin", "LOG": str(log), "VERDICT": str(verdict), "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        ["/bin/sh", tmp_path / "scripts/lock.sh"], env=env, capture_output=True, check=False
    )
    assert (done.returncode == 0) == (verdict == 0), done.stderr
    found = [(locks / f"{name}.lock").read_text() for name in ("run", "dev")]
    assert found == (["new\n"] * 2 if verdict == 0 else ["old\n"] * 2)
    asked = log.read_text().splitlines()
    assert "pip>=26.1" in asked[0]  # Debian's own pip refuses the option, and there would be no lock at all
    assert all("--uploaded-prior-to=P7D" in line for line in asked if line.startswith("compile"))
    assert any(
        "download" in line and "--require-hashes" in line and "--uploaded-prior-to=P7D" in line
        for line in asked
    )
