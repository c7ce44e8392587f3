"""Alerts of the operator: rules over what the parts measure, told by mail, webhook and log."""

from agent_marketplace.alerts.alerts import Alerts
from agent_marketplace.alerts.figures import Figures
from agent_marketplace.alerts.rules import RULES, Rule, State

__all__ = ["RULES", "Alerts", "Figures", "Rule", "State"]
