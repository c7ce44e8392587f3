"""What the listings give. Times in ms since the epoch, money in nano-dollars."""

import msgspec

from agent_marketplace.listings.spec import AgentPrice, Spec, State, Visibility


class Publisher(msgspec.Struct, frozen=True, kw_only=True):
    """Who offers agents, by a handle of their own."""

    user_id: str
    handle: str
    created_at: int


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """An agent, whichever version. live: the one that is run unless another is named; forked_from: (agent id, version)."""

    agent_id: str
    user_id: str
    publisher: str
    slug: str
    visibility: Visibility
    live: int | None
    newest: int
    fork_agent_id: str | None
    fork_version: int | None
    created_at: int
    updated_at: int
    last_live: int | None = None

    @property
    def path(self) -> str:
        """`publisher/slug`, as it stands after `agent/` in a model's name."""
        return f"{self.publisher}/{self.slug}"


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One immutable version and what was decided about it. spec.instructions is empty where its reader may not see them."""

    agent_id: str
    version: int
    user_id: str
    spec: Spec
    content_hash: str
    consent_hash: str
    created_at: int
    state: State
    asked: Visibility
    reviewed: bool
    findings: list[str]
    decided_at: int | None
    price_from: int
    price_before: AgentPrice
    price_raised: bool

    def price_at(self, now: int) -> AgentPrice:
        """The price that a run which begins now keeps to its end."""
        return self.spec.price if now >= self.price_from else self.price_before


class Pinned(msgspec.Struct, frozen=True, kw_only=True):
    """What a run is of: one version, its price at the run's start, its instructions. own: by its author, without a fee."""

    agent_id: str
    version: int
    author_id: str
    path: str
    content_hash: str
    spec: Spec
    price: AgentPrice
    own: bool

    @property
    def name(self) -> str:
        """As it stands in `model` and in receipts."""
        return f"agent/{self.path}@{self.version}"


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """A user's agreement to an agent's tools, scopes and hosts. pinned: the version to stay with."""

    user_id: str
    agent_id: str
    consent_hash: str
    version: int
    pinned: int | None
    at: int
