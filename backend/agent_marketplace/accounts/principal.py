"""Who is asking."""

from dataclasses import dataclass, field
from typing import Literal

from agent_marketplace.errors import Forbidden

Role = Literal["user", "admin"]
Scope = Literal["inference", "account:read", "account:write"]

# inference: run models (spends money). account:read: profile, balance, usage, history. account:write: change those.
# Passwords, keys, deletion and everything of an administrator need a signed-in person, whatever a key's scopes.
SCOPES: frozenset[Scope] = frozenset({"inference", "account:read", "account:write"})


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller; tier is `free` where a subscription has expired. At most 1 s old."""

    user_id: str
    kind: Literal["session", "key"]
    role: Role
    tier: str
    email: str = field(repr=False)
    scopes: frozenset[str] = SCOPES
    key_id: str | None = None
    session_id: str | None = None

    def require(self, scope: Scope) -> None:
        """Raises Forbidden unless the scope is there."""
        if scope not in self.scopes:
            raise Forbidden(f"This API key lacks the scope {scope}", code="missing_scope")

    def require_session(self) -> None:
        """Raises Forbidden for a key: only a signed-in person may do this."""
        if self.kind != "session":
            raise Forbidden("Sign in to do this: an API key is not enough", code="session_required")

    def require_admin(self) -> None:
        """Raises Forbidden unless an administrator is signed in."""
        self.require_session()
        if self.role != "admin":
            raise Forbidden("Only an administrator may do this")
