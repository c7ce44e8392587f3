"""usage roll-ups: what was used, summed up by quarter of an hour, and which usage rows are not in the sums yet"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

SUMS = (
    "requests",
    "estimated",
    "input",
    "cache_read",
    "cache_write_5m",
    "cache_write_1h",
    "output",
    "reasoning",
    "audio_input",
    "audio_output",
    "image_input",
    "image_output",
    "images",
    "charge_nano",
    "absorbed_nano",
    "provider_cost_nano",
    "list_cost_nano",
    "total_timed",
    "total_ms",
    "first_timed",
    "first_ms",
    "total_bin_0",
    "total_bin_1",
    "total_bin_2",
    "total_bin_3",
    "total_bin_4",
    "total_bin_5",
    "total_bin_6",
    "total_bin_7",
    "total_bin_8",
    "total_bin_9",
    "total_bin_10",
    "total_bin_11",
    "total_bin_12",
    "total_bin_13",
    "total_bin_14",
    "total_bin_15",
    "total_bin_16",
    "total_bin_17",
    "total_bin_18",
    "total_bin_19",
    "first_bin_0",
    "first_bin_1",
    "first_bin_2",
    "first_bin_3",
    "first_bin_4",
    "first_bin_5",
    "first_bin_6",
    "first_bin_7",
    "first_bin_8",
    "first_bin_9",
    "first_bin_10",
    "first_bin_11",
    "first_bin_12",
    "first_bin_13",
    "first_bin_14",
    "first_bin_15",
    "first_bin_16",
    "first_bin_17",
    "first_bin_18",
    "first_bin_19",
)
FIELDS = (
    "'user_id', OLD.user_id, 'key_id', OLD.key_id, 'model', OLD.model, 'provider', OLD.provider, "
    "'status', OLD.status, 'input', OLD.input, 'cache_read', OLD.cache_read, "
    "'cache_write_5m', OLD.cache_write_5m, 'cache_write_1h', OLD.cache_write_1h, "
    "'output', OLD.output, 'reasoning', OLD.reasoning, 'audio_input', OLD.audio_input, "
    "'audio_output', OLD.audio_output, 'image_input', OLD.image_input, "
    "'image_output', OLD.image_output, 'images', OLD.images, 'estimated', OLD.estimated, "
    "'charge_nano', OLD.charge_nano, 'absorbed_nano', OLD.absorbed_nano, "
    "'provider_cost_nano', OLD.provider_cost_nano, 'list_cost_nano', OLD.list_cost_nano, "
    "'detail', OLD.detail, 'created_at', OLD.created_at"
)
SQLITE = (
    (
        "CREATE TRIGGER usage_records_added AFTER INSERT ON usage_records BEGIN "
        "INSERT INTO usage_unrolled (user_id, request_id) VALUES (NEW.user_id, NEW.request_id) "
        "ON CONFLICT (user_id, request_id) DO NOTHING; END"
    ),
    (
        "CREATE TRIGGER usage_records_changed AFTER UPDATE ON usage_records BEGIN "  # noqa: S608  constants
        "INSERT INTO usage_unrolled (user_id, request_id, was) "
        f"VALUES (OLD.user_id, OLD.request_id, json_object({FIELDS})) "
        "ON CONFLICT (user_id, request_id) DO NOTHING; END"
    ),
)
POSTGRES = (
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
        f"VALUES (OLD.user_id, OLD.request_id, json_build_object({FIELDS})::text) "
        "ON CONFLICT (user_id, request_id) DO UPDATE SET request_id = excluded.request_id; RETURN NULL; END $$"
    ),
    (
        "CREATE TRIGGER usage_records_changed AFTER UPDATE ON usage_records "
        "FOR EACH ROW EXECUTE FUNCTION usage_records_changed()"
    ),
)


def upgrade() -> None:
    op.create_table(
        "usage_rollups",
        sa.Column("user_id", sa.String(length=80), nullable=False),
        sa.Column("conversation_id", sa.String(length=80), nullable=False),
        sa.Column("bucket_at", sa.BigInteger(), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("provider", sa.String(length=80), nullable=False),
        sa.Column("key_id", sa.String(length=80), nullable=False),
        sa.Column("agent_id", sa.String(length=80), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in SUMS),
        sa.PrimaryKeyConstraint(
            "user_id", "conversation_id", "bucket_at", "model", "provider", "key_id", "agent_id", "status",
            name=op.f("pk_usage_rollups"),
        ),
        sqlite_with_rowid=False,
    )  # fmt: skip
    op.create_index("ix_usage_rollups_bucket_at", "usage_rollups", ["bucket_at"], unique=False)
    op.create_table(
        "usage_unrolled",
        sa.Column("user_id", sa.String(length=80), nullable=False),
        sa.Column("request_id", sa.String(length=80), nullable=False),
        sa.Column("was", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("user_id", "request_id", name=op.f("pk_usage_unrolled")),
        sqlite_with_rowid=False,
    )
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRES:
        op.execute(statement)
    # The server's housekeeper sums them up, a few hundred at a time.
    op.execute(
        "INSERT INTO usage_unrolled (user_id, request_id) SELECT user_id, request_id FROM usage_records"
    )


def downgrade() -> None:
    raise NotImplementedError("Migrations only go forward; restore a backup instead")
