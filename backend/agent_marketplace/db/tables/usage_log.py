"""What was used, summed up by quarter of an hour. `*_at`: ms since the epoch, UTC; money in nano-dollars.

`usage_rollups` holds the sums of all usage rows that are not in `usage_unrolled`, and of those in it the row as it `was`. Triggers
write the latter in the very transaction that writes a usage row, so that the two together are exact at every moment.
"""

import sqlalchemy as sa

from agent_marketplace.db.base import metadata
from agent_marketplace.db.tables.ledger import usage_records
from agent_marketplace.usage import COUNTS

TIME_BOUNDS_MS = (
    50, 100, 200, 300, 500, 750, 1_000, 1_500, 2_000, 3_000, 5_000, 7_500, 10_000, 15_000, 20_000, 30_000, 60_000, 120_000, 300_000,
)  # fmt: skip
"""Upper ends of the bins that times are counted in; the last bin has none."""
_BINS = range(len(TIME_BOUNDS_MS) + 1)
TOTAL_BINS = tuple(f"total_bin_{n}" for n in _BINS)
FIRST_BINS = tuple(f"first_bin_{n}" for n in _BINS)
SUMS = (
    "requests", "estimated", *COUNTS, "charge_nano", "absorbed_nano", "provider_cost_nano", "list_cost_nano",
    "total_timed", "total_ms", "first_timed", "first_ms", *TOTAL_BINS, *FIRST_BINS,
)  # fmt: skip

usage_rollups = sa.Table(
    "usage_rollups",
    metadata,
    sa.Column("user_id", sa.String(80), nullable=False),  # '*', '*h' = the sum of all accounts, by the hour
    sa.Column(
        "conversation_id", sa.String(80), nullable=False
    ),  # '' = none, '*' = the sum of all that have one
    sa.Column("bucket_at", sa.BigInteger, nullable=False),
    sa.Column("model", sa.String(200), nullable=False),
    sa.Column("provider", sa.String(80), nullable=False),
    sa.Column("key_id", sa.String(80), nullable=False),  # '' = the page
    sa.Column("agent_id", sa.String(80), nullable=False),  # '' = none
    sa.Column("status", sa.String(20), nullable=False),
    *(sa.Column(name, sa.BigInteger, nullable=False) for name in SUMS),
    sa.PrimaryKeyConstraint(
        "user_id", "conversation_id", "bucket_at", "model", "provider", "key_id", "agent_id", "status"
    ),
    sa.Index("ix_usage_rollups_bucket_at", "bucket_at"),
    sqlite_with_rowid=False,
)

usage_unrolled = sa.Table(
    "usage_unrolled",
    metadata,
    sa.Column("user_id", sa.String(80), nullable=False),
    sa.Column("request_id", sa.String(80), nullable=False),
    sa.Column(
        "was", sa.Text
    ),  # JSON: the row that is in the sums, where it was replaced since; none: it is in none
    sa.PrimaryKeyConstraint("user_id", "request_id"),
    sqlite_with_rowid=False,
)

SUMMING = 7_202_611_220_009
"""PostgreSQL's advisory lock of who brings rows into the sums, takes sums away, or takes rows away that are in them."""

_FIELDS = (
    "'user_id', OLD.user_id, 'key_id', OLD.key_id, 'model', OLD.model, 'provider', OLD.provider, 'status', OLD.status, "
    "'input', OLD.input, 'cache_read', OLD.cache_read, 'cache_write_5m', OLD.cache_write_5m, "
    "'cache_write_1h', OLD.cache_write_1h, 'output', OLD.output, 'reasoning', OLD.reasoning, "
    "'audio_input', OLD.audio_input, 'audio_output', OLD.audio_output, 'image_input', OLD.image_input, "
    "'image_output', OLD.image_output, 'images', OLD.images, 'estimated', OLD.estimated, "
    "'charge_nano', OLD.charge_nano, 'absorbed_nano', OLD.absorbed_nano, 'provider_cost_nano', OLD.provider_cost_nano, "
    "'list_cost_nano', OLD.list_cost_nano, 'detail', OLD.detail, 'created_at', OLD.created_at"
)
_SQLITE = (
    (
        "CREATE TRIGGER usage_records_added AFTER INSERT ON usage_records BEGIN "
        "INSERT INTO usage_unrolled (user_id, request_id) VALUES (NEW.user_id, NEW.request_id) "
        "ON CONFLICT (user_id, request_id) DO NOTHING; END"
    ),
    (
        "CREATE TRIGGER usage_records_changed AFTER UPDATE ON usage_records BEGIN "  # noqa: S608  constants
        "INSERT INTO usage_unrolled (user_id, request_id, was) "
        f"VALUES (OLD.user_id, OLD.request_id, json_object({_FIELDS})) "
        "ON CONFLICT (user_id, request_id) DO NOTHING; END"
    ),
)
_POSTGRES = (
    (
        "CREATE FUNCTION usage_records_added() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "INSERT INTO usage_unrolled (user_id, request_id) SELECT user_id, request_id FROM added "
        "ON CONFLICT (user_id, request_id) DO NOTHING; RETURN NULL; END $$"
    ),
    (
        "CREATE TRIGGER usage_records_added AFTER INSERT ON usage_records REFERENCING NEW TABLE AS added "
        "FOR EACH STATEMENT EXECUTE FUNCTION usage_records_added()"
    ),
    # The update of what is there already locks it: who sums up must not take it away before this transaction is over.
    (
        "CREATE FUNCTION usage_records_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "  # noqa: S608  constants
        "INSERT INTO usage_unrolled (user_id, request_id, was) "
        f"VALUES (OLD.user_id, OLD.request_id, json_build_object({_FIELDS})::text) "
        "ON CONFLICT (user_id, request_id) DO UPDATE SET request_id = excluded.request_id; RETURN NULL; END $$"
    ),
    (
        "CREATE TRIGGER usage_records_changed AFTER UPDATE ON usage_records "
        "FOR EACH ROW EXECUTE FUNCTION usage_records_changed()"
    ),
)
for _dialect, _statements in (("sqlite", _SQLITE), ("postgresql", _POSTGRES)):
    for _statement in _statements:
        _made: sa.ExecutableDDLElement = sa.DDL(_statement)  # type: ignore[no-untyped-call]
        sa.event.listen(usage_records, "after_create", _made.execute_if(dialect=_dialect))
