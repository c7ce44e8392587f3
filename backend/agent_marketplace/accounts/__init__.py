"""Accounts: who people are, what they may do, and the keys their programs use."""

from agent_marketplace.accounts.ai_auth_service import AIAuthService
from agent_marketplace.accounts.assemble import Accounts, assemble
from agent_marketplace.accounts.authenticator import Authenticator, credential_of
from agent_marketplace.accounts.keys import Cap, CreatedKey, MarketplaceKey, MarketplaceKeys
from agent_marketplace.accounts.limits import Limits
from agent_marketplace.accounts.principal import Principal
from agent_marketplace.accounts.provider_keys import Probe, ProviderKeys
from agent_marketplace.accounts.user import User

__all__ = [
    "AIAuthService",
    "Accounts",
    "Authenticator",
    "Cap",
    "CreatedKey",
    "Limits",
    "MarketplaceKey",
    "MarketplaceKeys",
    "Principal",
    "Probe",
    "ProviderKeys",
    "User",
    "assemble",
    "credential_of",
]
