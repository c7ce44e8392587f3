"""Texts at rest (conversations): one data key per user, held in memory, so that sealing costs microseconds.

Format: `0x01`, length and name of the data key (a text is opened by the key that sealed it), nonce and ciphertext.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from agent_marketplace.vault.envelope import CannotOpen, decrypt, encrypt

_FORMAT = b"\x01"


@dataclass(frozen=True, slots=True)
class TextCipher:
    """Seals and opens one user's texts. `context` names the place (for example the message id) and is authenticated."""

    user_id: str
    newest: str
    ciphers: Mapping[str, AESGCM] = field(repr=False)

    def seal(self, context: str, text: str) -> bytes:
        """Encrypts under the user's newest data key."""
        name = self.newest.encode("ascii")
        body = encrypt(
            self.ciphers[self.newest], text.encode("utf-8", "surrogatepass"), self._associated(context)
        )
        return _FORMAT + bytes([len(name)]) + name + body

    def open(self, context: str, sealed: bytes) -> str:
        """Decrypts. Raises CannotOpen, also where the data key itself can't be read any more."""
        if sealed[:1] != _FORMAT or len(sealed) < 2:
            raise CannotOpen("unknown text format")
        end = 2 + sealed[1]
        cipher = self.ciphers.get(sealed[2:end].decode("latin-1"))
        if cipher is None:
            raise CannotOpen("its data key can't be read")
        return decrypt(cipher, sealed[end:], self._associated(context)).decode("utf-8", "surrogatepass")

    def _associated(self, context: str) -> bytes:
        return f"text {self.user_id} {context}".encode()
