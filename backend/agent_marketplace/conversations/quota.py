"""How much one account may store: chats with their attachments, and agents with all their versions."""

from agent_marketplace.errors import PayloadTooLarge

_MB = 1_000_000


class StorageFull(PayloadTooLarge):
    """What is to be stored goes beyond the account's quota (413)."""

    code = "storage_full"


def within(quota: int, total: int, added: int) -> None:
    """quota, total (with what is added), added: bytes; quota 0: no limit. Raises StorageFull."""
    if not quota or total <= quota:
        return
    raise StorageFull(
        f"Your chats and agents take {_mb(total - added)} of the {_mb(quota)} that an account may store here, and this needs "
        f"{_mb(added)} more: delete chats (those with pictures first) or agents, or ask in a temporary chat, which stores nothing",
        extra={"stored_bytes": total - added, "needed_bytes": added, "quota_bytes": quota},
    )


def _mb(size: int) -> str:
    tenths = (size * 10 + _MB - 1) // _MB
    return f"{tenths // 10}.{tenths % 10} MB"
