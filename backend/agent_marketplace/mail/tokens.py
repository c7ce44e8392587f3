"""Tokens of single-use links: the id of a row and a keyed hash of it. The database has the id only, the key is outside it."""

import base64
import hashlib
import hmac

_PATHS = {"reset": "/reset", "confirm": "/confirm"}


def link_token(secret: bytes, kind: str, link_id: str) -> str:
    """What proves that its bearer was sent this link."""
    mac = hmac.new(secret, f"link {kind} {link_id}".encode(), hashlib.sha256).digest()
    return f"{link_id}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def read_token(secret: bytes, kind: str, token: str) -> str | None:
    """The id of the link whose token this is; None for any other text."""
    link_id, _, _ = token.partition(".")
    right = link_token(secret, kind, link_id)
    return link_id if hmac.compare_digest(right.encode(), token.encode("utf-8", "surrogatepass")) else None


def link_path(secret: bytes, kind: str, link_id: str) -> str:
    """The page's address on this server. The token stands behind `#`: browsers send that part to nobody."""
    return f"{_PATHS[kind]}#{link_token(secret, kind, link_id)}"
