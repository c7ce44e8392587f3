"""Which attempts a call gets: the groups of targets it names or that may stand in for them, compiled into a plan."""

from collections.abc import Awaitable, Callable

import msgspec

from agent_marketplace import rules
from agent_marketplace.catalog import AIModel, MarketplaceRegistry
from agent_marketplace.errors import BadRequest, NotFound
from agent_marketplace.gateway.closed import left_out_because
from agent_marketplace.gateway.credentials import Credentials
from agent_marketplace.gateway.health import Health, lane_of
from agent_marketplace.gateway.needs import Needs
from agent_marketplace.gateway.plan import Group, Plan, Target, compile_plan
from agent_marketplace.gateway.preferences import Preferences, called
from agent_marketplace.gateway.refusals import nothing_left
from agent_marketplace.gateway.targets import Targets
from agent_marketplace.providers.endpoints import EndpointTable
from agent_marketplace.recommend.question import Choice
from agent_marketplace.wires.base import Call
from agent_marketplace.wires.fim.provider_side import Way

_TOLD = 3

Chooser = Callable[[str, Call, Needs, Preferences], Awaitable[list[Choice]]]
"""For `model: "auto"`: what to try, in order, for a user's call; never raises."""


class Planner:
    """Makes plans. One per process."""

    def __init__(
        self,
        *,
        registry: MarketplaceRegistry,
        endpoints: EndpointTable,
        targets: Targets,
        credentials: Credentials,
        health: Health,
        choose: Chooser,
    ) -> None:
        self._registry = registry
        self._endpoints = endpoints
        self._targets = targets
        self._credentials = credentials
        self._health = health
        self._choose = choose

    async def plan(
        self, user_id: str, call: Call, wants: Needs, wishes: Preferences, *, free_fallback: bool = False
    ) -> Plan:
        """The ordered attempts. Raises NotFound for an unknown model, and the fitting refusal when nothing is left.

        free_fallback: end with free models, for when every provider that was asked for fails
        """
        own_keys = await self._credentials.providers(user_id) if wishes.byok != "never" else frozenset[str]()
        groups: list[Group] = []
        chosen: Choice | None = None
        if call.model == "auto" and call.fill is not None:
            raise BadRequest(f"auto picks models that talk: name one for completions{self._who_does()}")
        if call.model == "auto":
            picks = await self._choose(user_id, call, wants, wishes)
            groups += [self._targets.group(pick.model, "auto", own_keys, wishes) for pick in picks]
            chosen = picks[0] if picks else None
            if chosen is None and wishes.auto_allow and not wishes.models:
                raise self._none_allowed(wishes)
        else:
            groups.append(self._targets.group(call.model, "requested", own_keys, wishes))
        for name in wishes.models:
            group = self._targets.group(name, "listed_fallback", own_keys, wishes)
            if all(group.model != g.model for g in groups):
                groups.append(group)
        if free_fallback and wishes.fallback is not False and wishes.allow_fallbacks:
            groups += self._free_groups(groups, own_keys, wishes)
        plan = self._compile(groups, call, wants, wishes, user_id)
        if not plan.attempts or all(a.why == "free_fallback" for a in plan.attempts):
            asked = groups[0].model if groups else call.model
            model = self._registry.get_model_by_id(asked)
            successor = model.successor if model is not None and model.retired else None
            raise nothing_left(asked, plan.skipped, successor)
        return plan if chosen is None else msgspec.structs.replace(plan, chosen=chosen)

    def _none_allowed(self, wishes: Preferences) -> NotFound:
        """What to tell whose `auto.allow` leaves nothing: what was asked for, and what comes near."""
        asked = ", ".join(wishes.auto_allow[:_TOLD])
        models = [m for m in self._registry.get_all_models() if not m.retired]
        allowed = [m.id for m in models if called(m, wishes.auto_allow)]
        if allowed:
            some = ", ".join(allowed[:_TOLD]) + (
                f" and {len(allowed) - _TOLD} more" if len(allowed) > _TOLD else ""
            )
            words = f"auto.allow: none of the models that {asked} names can take this call here: {some}"
            return NotFound(
                words,
                code="constraint_filtered",
                extra={"asked": list(wishes.auto_allow), "allowed": allowed[:20]},
            )
        bare = (
            pattern.replace("*", " ").replace("?", " ").rpartition("/")[2].strip()
            for pattern in wishes.auto_allow
        )
        near = list(dict.fromkeys(n for name in bare if name for n in self._registry.nearest(name)))[:_TOLD]
        words = f"auto.allow: no model here is called {asked}" + (
            f"; near: {', '.join(near)}" if near else ""
        )
        return NotFound(
            words, code="constraint_filtered", extra={"asked": list(wishes.auto_allow), "nearest": near}
        )

    def free_plan(self, call: Call, wants: Needs, wishes: Preferences) -> Plan | None:
        """For `on_empty: "free"`: the plan over the free alternative only."""
        name = self.free_alternative(call)
        if name is None:
            return None
        group = self._targets.group(name, "free_fallback", frozenset(), wishes)
        plan = self._compile([group], call, wants, wishes, "")
        return plan if plan.attempts else None

    def free_alternative(self, call: Call) -> str | None:
        """A free model that could answer this call here, for the 402's way out."""
        return next((m.id for m in self._free_models() if m.id != call.model), None)

    def canonical(self, name: str) -> str:
        """Our id for any name; the name itself where it is unknown."""
        model = self._registry.resolve(name)
        return model.id if model is not None else name

    def known(self, name: str) -> str | None:
        """As `canonical`, for what must not repeat a caller's text: None where the name is unknown; `auto` stays."""
        model = self._registry.resolve(name)
        if model is not None:
            return model.id
        return name if name == "auto" else None

    def resolve(self, name: str) -> AIModel:
        """The model. Raises NotFound with the nearest names."""
        return self._targets.resolve(name)

    def _compile(
        self, groups: list[Group], call: Call, wants: Needs, wishes: Preferences, user_id: str
    ) -> Plan:
        return compile_plan(
            groups,
            wants,
            wishes,
            open_breaker=lambda t: not self._health.available(lane_of(t, user_id, wants.input_tokens)),
            measured=self._measured,
            unfit=lambda t: rules.refusal(call, self._endpoints.rules(t.provider, t.upstream_id)),
            refused=lambda t: self._refused(call, t),
        )

    def _refused(self, call: Call, target: Target) -> tuple[str, str] | None:
        endpoint = self._endpoints.get(target.provider)
        if (
            endpoint is None or call.plain
        ):  # words alone ask for nothing that is billed apart, and name no address
            return None
        if call.fill is not None and call.fill.needs_fim and not self.way(target):
            return (
                "unsupported",
                f"{target.model} at {target.provider} does not fill in the middle{self._who_does()}",
            )
        wire, _ = self._endpoints.told(target.provider, target.upstream_id, call)
        return left_out_because(call, target, endpoint, wire)

    def way(self, target: Target) -> Way | None:
        """How a target is told to fill in the middle; None where it can't."""
        return self._endpoints.way(target.provider, target.upstream_id)

    def _who_does(self) -> str:
        """The end of a refusal: models that can be called and do."""
        able = [m for m in self._registry.filter_by_capability("fim") if m.is_available and not m.retired]
        if not able:
            return " (capability fim), and no model that can be called here does"
        return f" (capability fim); here {', '.join(m.id for m in able[:3])} can"

    def _free_groups(self, groups: list[Group], own_keys: frozenset[str], wishes: Preferences) -> list[Group]:
        """Where a provider's failure may end: the free models that answer here, the demo model only if there is no other."""
        named = {g.model for g in groups}
        free = [m for m in self._free_models() if m.id not in named]
        if any(m.provider != "local" for m in free):
            free = [m for m in free if m.provider != "local"]
        return [self._targets.group(m.id, "free_fallback", own_keys, wishes) for m in free[:2]]

    def _free_models(self) -> list[AIModel]:
        free = [
            m for m in self._registry.filter_by_tier("free") if m.is_available and "text" in m.capabilities
        ]
        return sorted(free, key=lambda m: (m.provider == "local", -(m.context_window or 0), m.id))

    def _measured(self, target: Target) -> tuple[float, float]:
        samples = self._health.samples.get((target.model, target.provider))
        if samples is None or not samples.first_token_ms:
            return float("inf"), 0.0
        latency = sorted(samples.first_token_ms)[len(samples.first_token_ms) // 2]
        speed = sorted(samples.tokens_per_s)[len(samples.tokens_per_s) // 2] if samples.tokens_per_s else 0
        return float(latency), float(speed)
