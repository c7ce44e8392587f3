"""How many calls one user, or one key, may have running at once in this process."""

from collections import Counter, OrderedDict

from agent_marketplace.errors import RateLimited

_KEYS = 10_000


class InFlight(set[str]):
    """The ids of this process's calls between their hold and their settlement, and whose they are.

    most: of one user, 0 = any number. A key's own limit is known from the moment it was last looked up (`limit_key`).
    """

    def __init__(self, most: int = 0) -> None:
        super().__init__()
        self.most = most
        self._whose: dict[str, tuple[str, str | None]] = {}
        self._counts: Counter[str | None] = Counter()
        self._limits: OrderedDict[str, int] = OrderedDict()

    def limit_key(self, key_id: str, most: int | None) -> None:
        """Says how many calls a key may have running; None = as many as its user."""
        self._limits.pop(key_id, None)
        if most is not None:
            self._limits[key_id] = most
            if len(self._limits) > _KEYS:
                self._limits.popitem(last=False)

    def enter(self, request_id: str, user_id: str, key_id: str | None) -> None:
        """Counts a call. Raises RateLimited where user or key have as many as they may."""
        of_key = self._limits.get(key_id) if key_id is not None else None
        if of_key is not None and self._counts[key_id] >= of_key:
            raise _refusal(of_key, "this key")
        if self.most and self._counts[user_id] >= self.most:
            raise _refusal(self.most, "this account")
        self.add(request_id)
        self._whose[request_id] = (user_id, key_id)
        self._counts[user_id] += 1
        self._counts[key_id] += 1

    def discard(self, request_id: object) -> None:
        """The call has ended; without effect where it is not counted."""
        super().discard(request_id)
        whose = self._whose.pop(str(request_id), ())
        for name in whose:
            self._counts[name] -= 1
            if not self._counts[name]:
                del self._counts[name]


def _refusal(most: int, whose: str) -> RateLimited:
    calls = "1 call of" if most == 1 else f"{most} calls of"
    words = f"{calls} {whose} {'is' if most == 1 else 'are'} running already: wait until one has ended"
    return RateLimited(words, retry_after=1)
