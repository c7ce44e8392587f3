"""RSS 2.0 of models that are new in the catalogue."""

from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import format_datetime
from xml.sax.saxutils import escape

from agent_marketplace.catalog.models import AIModel

MAX_ITEMS = 50


def rss(models: Iterable[AIModel], site: str, *, added_at: dict[str, int] | None = None) -> str:
    """The newest models as RSS. site: our own base URL without a slash; added_at: ms, for models that feeds found here."""
    dated = sorted(
        ((_day(m, added_at or {}), m.id, m) for m in models if _day(m, added_at or {}) is not None),
        reverse=True,
    )
    items = [_item(m, day, site) for day, _, m in dated[:MAX_ITEMS] if day is not None]
    head = (
        f"<title>New models</title><link>{escape(site)}/</link>"
        "<description>Models that are new in this AI Agent Marketplace</description>"
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel>{head}\n{"".join(items)}</channel></rss>\n'


def _day(model: AIModel, added_at: dict[str, int]) -> datetime | None:
    if model.id in added_at:
        return datetime.fromtimestamp(added_at[model.id] / 1000, UTC)
    if model.released_on is None:
        return None
    return datetime.fromisoformat(model.released_on).replace(tzinfo=UTC)


def _item(model: AIModel, day: datetime, site: str) -> str:
    link = escape(f"{site}/models/{model.id}")
    return (
        f"<item><title>{escape(model.name)}</title><link>{link}</link><guid>{link}</guid>"
        f"<pubDate>{format_datetime(day)}</pubDate><description>{escape(model.description)}</description></item>\n"
    )
