"""A keyed hash over what no posting covers: a request's usage row and its ended hold, those of free calls too.

The key is the installation's, not in the database: who can edit rows can't seal them. `ledger verify` recomputes every one.
"""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Any

import msgspec


def seal_key(secret: bytes) -> bytes:
    """The key of the seals, from the secret that signs checkpoints: one secret, two uses that can't be taken for each other."""
    return hmac.digest(secret, b"usage seal", hashlib.sha256)


def seal(key: bytes, usage: Sequence[Any], hold: Sequence[Any]) -> str:
    """HMAC-SHA-256 over both rows' columns in table order, its first 16 bytes as hex."""
    return hmac.digest(key, msgspec.json.encode((usage, hold)), hashlib.sha256)[:16].hex()
