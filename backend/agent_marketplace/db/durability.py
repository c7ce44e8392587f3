"""Whether a PostgreSQL keeps what it acknowledges."""

import sqlalchemy as sa

_NEEDED = ("fsync", "full_page_writes")  # without them a power cut can lose or tear acknowledged money


def switched_off(connection: sa.Connection) -> list[str]:
    """The names of needed settings that are off."""
    found = connection.execute(sa.select(*(sa.func.current_setting(name) for name in _NEEDED))).one()
    return [name for name, value in zip(_NEEDED, found, strict=True) if value == "off"]


def replication_doubts(connection: sa.Connection) -> list[str]:
    """What a fail-over to a standby could lose, in words; empty where no standby is there or one is synchronous."""
    names = ("synchronous_standby_names", "synchronous_commit")
    standbys, commit = connection.execute(sa.select(*(sa.func.current_setting(name) for name in names))).one()
    doubts = []
    if commit in ("off", "local"):
        doubts.append(
            f"synchronous_commit={commit}: answers that were charged could be lost when PostgreSQL fails"
        )
    replicas = connection.execute(sa.text("SELECT count(*) FROM pg_stat_replication")).scalar_one()
    if replicas and not standbys:
        doubts.append(
            f"{replicas} standby servers follow asynchronously (synchronous_standby_names is empty): after a fail-over the "
            "last charged answers are missing"
        )
    return doubts
