"""The three tools of the task, for every Python library: plain functions with types and words."""

import subprocess
from pathlib import Path


def read_file(path: str) -> str:
    """Read a text file."""
    return Path(path).read_text()


def edit(path: str, old_string: str, new_string: str) -> str:
    """Replace a text in a file."""
    file = Path(path)
    file.write_text(file.read_text().replace(old_string, new_string))
    return "edited"


def bash(command: str) -> str:
    """Run a command in a shell and return what it prints."""
    return subprocess.run(command, shell=True, capture_output=True, text=True, timeout=30, check=False).stdout


ALL = (read_file, edit, bash)
