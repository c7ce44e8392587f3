"""Session tokens: JWTs that name a row in the database, so that revoking the row ends the token."""

from dataclasses import dataclass
from typing import Any

import jwt

from agent_marketplace.accounts.errors import InvalidToken
from agent_marketplace.clock import Clock

LIFETIME_S = 7 * 24 * 3600
ISSUER = "agent-marketplace"
AUDIENCE = "agent-marketplace-api"
TYPE = "session"
MAX_LENGTH = 4096
_SKEW_S = 30  # between the clocks of nodes
_ALGORITHM = "HS256"
_CLAIMS = ("exp", "iat", "nbf", "aud", "iss", "typ", "sid", "user_id", "email")


@dataclass(frozen=True, slots=True)
class Claims:
    """What a genuine token says. Whether its session is still alive, only the row knows."""

    session_id: str
    user_id: str


class SessionTokens:
    """Issues and reads tokens. secret: at least 32 bytes."""

    def __init__(self, secret: bytes, clock: Clock) -> None:
        self._secret = secret
        self._clock = clock

    def issue(self, session_id: str, user_id: str, email: str) -> str:
        """A token of seven days."""
        now = self._clock.now_ms() // 1000
        claims = {
            "user_id": user_id, "email": email, "sid": session_id, "typ": TYPE, "iss": ISSUER, "aud": AUDIENCE,
            "iat": now, "nbf": now, "exp": now + LIFETIME_S,
        }  # fmt: skip
        return jwt.encode(claims, self._secret, algorithm=_ALGORITHM)

    def read(self, token: str) -> Claims:
        """Raises InvalidToken on anything that this installation didn't issue as a session, or that is too old."""
        if len(token) > MAX_LENGTH or not token.isascii():
            raise InvalidToken
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._secret,
                algorithms=[_ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                # The times are compared below, with the clock that the sessions' rows use.
                options={
                    "require": list(_CLAIMS),
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except (jwt.InvalidTokenError, ValueError, RecursionError):
            raise InvalidToken from None
        now = self._clock.now_ms() / 1000
        times, texts = [claims[k] for k in ("exp", "nbf", "iat")], [claims[k] for k in ("sid", "user_id")]
        if (
            claims["typ"] != TYPE
            or any(type(t) is not int for t in times)
            or any(type(t) is not str for t in texts)
        ):
            raise InvalidToken
        expires, not_before, issued = times
        if now >= expires or max(not_before, issued) > now + _SKEW_S or expires - issued > LIFETIME_S:
            raise InvalidToken
        return Claims(*texts)
