"""The world's rules: what each provider and model generation takes and refuses, as data with sources; and the one pure stage
that fits a call to its target."""

from agent_marketplace.rules.book import Rulebook, Rules, bundled
from agent_marketplace.rules.fit import Fitted, fit, refusal

__all__ = ["Fitted", "Rulebook", "Rules", "bundled", "fit", "refusal"]
