"""Secrets at rest: provider keys, users' texts, and the installation's own secrets."""

from agent_marketplace.vault.envelope import CannotOpen
from agent_marketplace.vault.keyring import Keyring
from agent_marketplace.vault.own_secrets import InstallationSecrets, load_secrets
from agent_marketplace.vault.secret import Secret
from agent_marketplace.vault.texts import TextCipher
from agent_marketplace.vault.vault import Rotation, SecretStatus, SecretUnreadable, StoredSecret, Vault

__all__ = [
    "CannotOpen",
    "InstallationSecrets",
    "Keyring",
    "Rotation",
    "Secret",
    "SecretStatus",
    "SecretUnreadable",
    "StoredSecret",
    "TextCipher",
    "Vault",
    "load_secrets",
]
