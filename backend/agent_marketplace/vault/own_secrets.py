"""The installation's own secrets. None has a default: each is set by the operator or made once, at random.

Embedded mode (SQLite) keeps what it makes in `<data_dir>/secrets`, each file with mode 0600. On PostgreSQL several nodes
must agree, so JWT_SECRET and ENCRYPTION_KEY are required and the others are derived from JWT_SECRET by HKDF-SHA256.
"""

import base64
import os
import re
import secrets
import stat
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from agent_marketplace.settings import Settings, SettingsError
from agent_marketplace.vault.keyring import Keyring

# What the values in published examples, tutorials and compose files are made of.
_EXAMPLE_WORDS = re.compile(
    r"secret|s3cr3t|t0p|super|change|replace|password|example|sample|default|placeholder|insecure|notsafe|keyboard|cat|your|my|me|this|it"
    r"|jwt|token|key|test|dev|demo|production|prod|random|string|value|please|long|very|here|at|least|with|use|in|to|32|256|bit|char|byte"
)
_MIN_BYTES = 32


@dataclass(frozen=True, slots=True)
class InstallationSecrets:
    """All secrets of this installation. created: the files that were made just now, to be named to the operator once."""

    jwt: bytes = field(repr=False)
    key_pepper: bytes = field(repr=False)
    checkpoint: bytes = field(repr=False)
    keyring: Keyring
    created: tuple[Path, ...] = ()


def load_secrets(settings: Settings) -> InstallationSecrets:
    """Reads or makes the secrets. Raises SettingsError on a missing, short or publicly known one."""
    if settings.jwt_secret is not None:
        check_secret("JWT_SECRET", settings.jwt_secret)
    if not settings.embedded:
        return _given(settings)
    created: list[Path] = []

    def own(name: str, make: Callable[[], str]) -> str:
        path = settings.data_dir / "secrets" / name
        value, made = load_or_create(path, make)
        if made:
            created.append(path)
        return value

    jwt = settings.jwt_secret or own("jwt_secret", _random_text)
    pepper, checkpoint = own("key_pepper", _random_text), own("checkpoint_secret", _random_text)
    keys = settings.encryption_keys or (own("encryption_key", _random_key),)
    return InstallationSecrets(
        jwt.encode(), pepper.encode(), checkpoint.encode(), Keyring(keys), tuple(created)
    )


def load_or_create(path: Path, make: Callable[[], str]) -> tuple[str, bool]:
    """(value, made now). Of two processes that start at once both get the same value.

    Raises SettingsError if the file is empty or others may read it.
    """
    made = False
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = _create(path, make())
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise SettingsError(f"{path} may be read by other users: run `chmod 600 {path}`")
    value = path.read_text("ascii").strip()
    if not value:
        raise SettingsError(
            f"{path} is empty: restore it from a backup, or remove it to have a new secret made"
        )
    return value, made


def check_secret(name: str, value: str) -> None:
    """Raises SettingsError if a secret is shorter than 32 bytes, a pattern, or made of words known from examples."""
    if len(value.encode()) < _MIN_BYTES:
        raise SettingsError(
            f"{name} is shorter than {_MIN_BYTES} bytes; make one with `openssl rand -base64 48`"
        )
    rest = _EXAMPLE_WORDS.sub("", re.sub(r"[\W_]+", "", value.lower()))
    if len(set(value)) < 8 or len(rest) < 8:
        raise SettingsError(
            f"{name} looks like a value from an example; make one with `openssl rand -base64 48`"
        )


def _create(path: Path, value: str) -> bool:
    """Puts the whole file there at once, on disk, unless another process was first."""
    handle, temporary = tempfile.mkstemp(dir=path.parent)  # mode 0600
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(value + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
        return True
    finally:
        Path(temporary).unlink()


def _given(settings: Settings) -> InstallationSecrets:
    if settings.jwt_secret is None:
        raise SettingsError(
            "JWT_SECRET is missing: set the same random value (32 bytes or more) on every node"
        )
    raw = settings.jwt_secret.encode()
    return InstallationSecrets(
        raw, _derive(raw, b"key pepper"), _derive(raw, b"checkpoint"), Keyring(settings.encryption_keys)
    )


def _derive(raw: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), 32, None, b"agent-marketplace " + purpose).derive(raw)


def _random_text() -> str:
    return secrets.token_urlsafe(48)


def _random_key() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).decode("ascii")
