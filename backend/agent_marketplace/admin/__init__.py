"""What an administrator does for others, each act with its line in the audit log."""

from agent_marketplace.admin.admin import Actor, Admin, credit_terms
from agent_marketplace.admin.agents import AgentDesk
from agent_marketplace.admin.choices import Choices
from agent_marketplace.admin.mail_desk import MailDesk
from agent_marketplace.admin.operator_keys import OperatorKeys
from agent_marketplace.admin.people_desk import PeopleDesk
from agent_marketplace.admin.store import AuditLine

__all__ = [
    "Actor",
    "Admin",
    "AgentDesk",
    "AuditLine",
    "Choices",
    "MailDesk",
    "OperatorKeys",
    "PeopleDesk",
    "credit_terms",
]
