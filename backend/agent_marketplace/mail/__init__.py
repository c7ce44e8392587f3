"""Mail: written in the transaction of what it tells of, sent by the housekeeper, shown to the administrator where there is none."""

from agent_marketplace.mail.mail import LINK_KINDS, Mail, Wishes
from agent_marketplace.mail.store import Row
from agent_marketplace.mail.tokens import link_path, link_token, read_token

__all__ = ["LINK_KINDS", "Mail", "Row", "Wishes", "link_path", "link_token", "read_token"]
