"""Envelope encryption: AES-256-GCM with a fresh data key per secret, wrapped by a master key of the ring.

Format: `v1.<key id>.<wrapped data key>.<nonce and ciphertext>`, the last two in URL-safe base64. The context (table, user,
purpose, row, version) is bound to both layers as associated data, so a ciphertext copied to another row, user or
provider doesn't open. Re-wrapping changes the outer layer only and never sees the plaintext.
"""

import base64
import binascii
import os
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from agent_marketplace.vault.keyring import Keyring

NONCE = 12
_VERSION = "v1"


class CannotOpen(Exception):
    """A ciphertext doesn't open: its key is gone, or it was changed or moved. Never says which secret."""


@dataclass(frozen=True, slots=True)
class Context:
    """Where a ciphertext belongs; all of it is authenticated."""

    table: str
    user_id: str
    purpose: str
    row_id: str
    version: int

    def encode(self) -> bytes:
        """Length-prefixed fields, so that no two contexts have the same bytes."""
        fields = (self.table, self.user_id, self.purpose, self.row_id, str(self.version))
        return b"".join(len(raw).to_bytes(4, "big") + raw for raw in (field.encode() for field in fields))


def seal(ring: Keyring, plaintext: bytes, context: Context) -> str:
    """Encrypts under a fresh data key, wrapped by the ring's first key."""
    data_key = AESGCM.generate_key(256)
    body = encrypt(AESGCM(data_key), plaintext, context.encode())
    return _wrap(ring, data_key, _b64(body), context)


def unseal(ring: Keyring, sealed: str, context: Context) -> bytes:
    """Decrypts. Raises CannotOpen."""
    data_key, body = _unwrap(ring, sealed, context)
    return decrypt(AESGCM(data_key), _unb64(body), context.encode())


def rewrap(ring: Keyring, sealed: str, context: Context) -> str:
    """The same secret, its data key wrapped by the ring's first key. Raises CannotOpen."""
    data_key, body = _unwrap(ring, sealed, context)
    return _wrap(ring, data_key, body, context)


def encrypt(cipher: AESGCM, plaintext: bytes, associated: bytes) -> bytes:
    """A random 96-bit nonce, then ciphertext and tag (NIST SP 800-38D)."""
    nonce = os.urandom(NONCE)
    return nonce + cipher.encrypt(nonce, plaintext, associated)


def decrypt(cipher: AESGCM, body: bytes, associated: bytes) -> bytes:
    """Reverses `encrypt`. Raises CannotOpen."""
    if len(body) < NONCE + 16:
        raise CannotOpen("truncated ciphertext")
    try:
        return cipher.decrypt(body[:NONCE], body[NONCE:], associated)
    except InvalidTag:
        raise CannotOpen("the ciphertext was changed, moved, or sealed under another key") from None


def _wrap(ring: Keyring, data_key: bytes, body: str, context: Context) -> str:
    cipher = ring.cipher(ring.primary)
    assert cipher is not None  # the primary is always on the ring
    wrapped = encrypt(cipher, data_key, _wrap_context(ring.primary, context))
    return f"{_VERSION}.{ring.primary}.{_b64(wrapped)}.{body}"


def _unwrap(ring: Keyring, sealed: str, context: Context) -> tuple[bytes, str]:
    parts = sealed.split(".")
    if len(parts) != 4 or parts[0] != _VERSION:
        raise CannotOpen("unknown ciphertext format")
    _, key, wrapped, body = parts
    cipher = ring.cipher(key)
    if cipher is None:
        raise CannotOpen("its master key is not on the ring")
    return decrypt(cipher, _unb64(wrapped), _wrap_context(key, context)), body


def _wrap_context(key: str, context: Context) -> bytes:
    return b"wrap " + key.encode() + b" " + context.encode()


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode("ascii")


def _unb64(text: str) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise CannotOpen("not base64") from None
