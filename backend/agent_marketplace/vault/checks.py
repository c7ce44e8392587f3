"""A secret that is lost or wrong must be noticed before it does harm: fresh ones would kill every key, session and proof in silence.

The database keeps a check value of each secret: HMAC-SHA-256 of a constant under it, which gives nothing away. Master keys
need none: every sealed row names its own.
"""

import hashlib
import hmac
from collections.abc import Iterable

import sqlalchemy as sa

from agent_marketplace.settings import SettingsError
from agent_marketplace.vault import store
from agent_marketplace.vault.own_secrets import InstallationSecrets

_HARM = {
    "jwt_secret": "every session would end",
    "key_pepper": "every marketplace key would stop working",
    "checkpoint_secret": "the signatures of the ledger's checkpoints could not be checked any more",
}
_GO_ON = (
    "Put the secret back that belongs to this database (a backup of the data directory has it). If it is lost for good, "
    "`agent-marketplace doctor --accept-secrets` goes on with what is there now"
)


def problems(connection: sa.Connection, secrets: InstallationSecrets) -> list[str]:
    """What of the database the given secrets don't open, in words."""
    kept = store.secret_checks(connection)
    found = []
    for name, value in _values(secrets).items():
        harm = _HARM[name]
        if name in kept and not hmac.compare_digest(kept[name], value):
            found.append(f"{name} is not the one that this database was used with: {harm}")
        elif name not in kept and _made_now(secrets, name) and store.has_users(connection):
            found.append(f"{name} is missing, and was made anew beside data of the old one: {harm}")
    for key_id, rows in sorted(store.counts_by_key(connection).items()):
        if key_id not in secrets.keyring.ids and f"lost:{key_id}" not in kept:
            found.append(
                f"ENCRYPTION_KEY lacks the master key {key_id}: {rows} sealed rows (chats, provider keys) can't be opened"
            )
    return found


def require(connection: sa.Connection, secrets: InstallationSecrets) -> None:
    """Raises SettingsError, with the one command that goes on, where data exist that a secret does not open.

    Secrets that were made just now for it are taken away again: the next start must not take them for the old ones.
    """
    if found := problems(connection, secrets):
        for path in secrets.created:
            path.unlink(missing_ok=True)
        raise SettingsError("; ".join(found) + ". " + _GO_ON)


def remember_in(connection: sa.Connection, secrets: InstallationSecrets, now_ms: int) -> None:
    """Notes the check values of secrets that have none yet."""
    missing = _values(secrets).keys() - store.secret_checks(connection).keys()
    _keep_in(connection, secrets, missing, now_ms)


def accept_in(connection: sa.Connection, secrets: InstallationSecrets, now_ms: int) -> None:
    """The given secrets are the right ones from here on; what is sealed under other master keys is given up."""
    _keep_in(connection, secrets, _values(secrets), now_ms)
    for key_id in store.counts_by_key(connection):
        if key_id not in secrets.keyring.ids:
            store.keep_secret_check(connection, f"lost:{key_id}", "", now_ms)


def _keep_in(
    connection: sa.Connection, secrets: InstallationSecrets, names: Iterable[str], now_ms: int
) -> None:
    values = _values(secrets)
    for name in sorted(names):
        store.keep_secret_check(connection, name, values[name], now_ms)


def _values(secrets: InstallationSecrets) -> dict[str, str]:
    given = {
        "jwt_secret": secrets.jwt,
        "key_pepper": secrets.key_pepper,
        "checkpoint_secret": secrets.checkpoint,
    }
    return {
        name: hmac.new(
            secret, b"agent-marketplace check value of " + name.encode(), hashlib.sha256
        ).hexdigest()
        for name, secret in given.items()
    }


def _made_now(secrets: InstallationSecrets, name: str) -> bool:
    return any(path.name == name for path in secrets.created)
