"""What the catalogue learns after it was built: prices with dates, found and declared models, ratings, own traffic.

Prices are JSON of `ledger.Price` (int nano-dollars per million units); `*_at`: ms since the epoch, UTC; `day`: YYYY-MM-DD.
"""

import sqlalchemy as sa

from agent_marketplace.db.base import metadata

prices = sa.Table(  # append only: the price in force is the newest row whose effective_at has come
    "catalog_prices",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("offer_id", sa.String(300), nullable=False),
    sa.Column("effective_at", sa.BigInteger, nullable=False),
    sa.Column("price", sa.Text),  # NULL: no longer priced
    sa.Column("price_version", sa.String(64), nullable=False, index=True),
    sa.Column("source", sa.String(80), nullable=False),  # a feed's name, "bundled" or "operator"
    sa.Column("as_of", sa.String(10), nullable=False),
    sa.Column("recorded_at", sa.BigInteger, nullable=False),
    sa.Index("ix_catalog_prices_offer_id_effective_at", "offer_id", "effective_at", "id"),
)

changes = sa.Table(  # one row: other processes read it to learn that models, offers or prices changed
    "catalog_changes",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, nullable=False),
)

reviews = sa.Table(
    "catalog_reviews",
    metadata,
    sa.Column("review_id", sa.String(40), primary_key=True),
    sa.Column("offer_id", sa.String(300), nullable=False, index=True),
    sa.Column("reason", sa.String(300), nullable=False),
    sa.Column("old_price", sa.Text),
    sa.Column("new_price", sa.Text),
    sa.Column("source", sa.String(80), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),  # open, accepted, rejected
    sa.Column("seen_at", sa.BigInteger, nullable=False),
    sa.Column("decided_at", sa.BigInteger),
)

feeds = sa.Table(
    "catalog_feeds",
    metadata,
    sa.Column("name", sa.String(80), primary_key=True),
    sa.Column("etag", sa.String(300)),
    sa.Column("checked_at", sa.BigInteger, nullable=False),
    sa.Column("good_at", sa.BigInteger),  # last time that the feed was read and taken
    sa.Column("problem", sa.String(300)),
)

found_models = sa.Table(
    "catalog_models",
    metadata,
    sa.Column("model_id", sa.String(100), primary_key=True),
    sa.Column("record", sa.Text, nullable=False),  # JSON of catalog.ModelRecord
    sa.Column("source", sa.String(80), nullable=False),
    sa.Column("added_at", sa.BigInteger, nullable=False),
)

found_offers = sa.Table(
    "catalog_offers",
    metadata,
    sa.Column("offer_id", sa.String(300), primary_key=True),
    sa.Column("model_id", sa.String(100), nullable=False),
    sa.Column("record", sa.Text, nullable=False),  # JSON of catalog.Offer
    sa.Column("source", sa.String(80), nullable=False),
    sa.Column("added_at", sa.BigInteger, nullable=False),
)

ratings = sa.Table(
    "catalog_ratings",
    metadata,
    sa.Column("user_id", sa.String(36), nullable=False),
    sa.Column("model_id", sa.String(100), nullable=False, index=True),
    sa.Column("stars", sa.Integer, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("user_id", "model_id"),
    sa.CheckConstraint("stars BETWEEN 1 AND 5", name="stars_1_to_5"),
)

traffic = sa.Table(
    "catalog_traffic",
    metadata,
    sa.Column("model_id", sa.String(100), nullable=False),
    sa.Column("provider", sa.String(80), nullable=False),
    sa.Column("day", sa.String(10), nullable=False),
    sa.Column("measure", sa.String(16), nullable=False),  # served, failed, first_token, throughput
    sa.Column("bucket", sa.Integer, nullable=False),  # of a logarithmic histogram; 0 for the counters
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("model_id", "provider", "day", "measure", "bucket"),
)
