"""Master keys: the ring from ENCRYPTION_KEY (or the installation's own file); the first encrypts, all decrypt.

Keys have the format of Fernet keys (32 bytes, URL-safe base64). The AES key is derived from them by HKDF-SHA256
(RFC 5869), so a key that also serves Fernet elsewhere is never used twice for different purposes.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from agent_marketplace.settings import SettingsError

_PUBLISHED = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="  # the test vectors of the Fernet specification


class Keyring:
    """Ciphers by key id. `primary` is the id of the key that encrypts."""

    def __init__(self, keys: Sequence[str]) -> None:
        """keys: Fernet-format texts, first = primary. Raises SettingsError if there is none or one is malformed."""
        if not keys:
            raise SettingsError(
                "ENCRYPTION_KEY is missing: set it to a Fernet-format key (32 bytes, URL-safe base64)"
            )
        ciphers: dict[str, AESGCM] = {}
        for position, text in enumerate(keys, start=1):
            raw = _decode(text, position)
            ciphers[key_id(raw)] = AESGCM(HKDF(SHA256(), 32, None, b"agent-marketplace vault v1").derive(raw))
        self._ciphers: Mapping[str, AESGCM] = ciphers
        self.primary = next(iter(ciphers))

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all keys, the encrypting one first."""
        return tuple(self._ciphers)

    def cipher(self, wanted: str) -> AESGCM | None:
        """The cipher of a key id, or None if its key is not on the ring."""
        return self._ciphers.get(wanted)

    def __repr__(self) -> str:
        return f"Keyring(ids={self.ids})"


def key_id(raw: bytes) -> str:
    """A public name for a key: 12 hex digits of a SHA-256 that nothing else uses."""
    return hashlib.sha256(b"agent-marketplace key id" + raw).hexdigest()[:12]


def _decode(text: str, position: int) -> bytes:
    try:
        raw = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raw = b""
    if len(raw) != 32:
        raise SettingsError(
            f"ENCRYPTION_KEY: key {position} is not 32 bytes in URL-safe base64 (a Fernet-format key)"
        )
    if len(set(raw)) < 8 or text == _PUBLISHED:
        raise SettingsError(f"ENCRYPTION_KEY: key {position} is not random, or is known from an example")
    return raw
