"""Whether a PostgreSQL keeps what it acknowledges."""

import sqlalchemy as sa

_NEEDED = ("fsync", "full_page_writes")  # without them a power cut can lose or tear acknowledged money


def switched_off(connection: sa.Connection) -> list[str]:
    """The names of needed settings that are off."""
    found = connection.execute(sa.select(*(sa.func.current_setting(name) for name in _NEEDED))).one()
    return [name for name, value in zip(_NEEDED, found, strict=True) if value == "off"]
