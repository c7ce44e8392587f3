"""Logs: one line an event, as text or JSON (MARKETPLACE_LOG_FORMAT). Lifecycle and failures only, never one per request.

No prompt, answer or credential is ever handed to a logger; what looks like a credential is masked all the same, because
an exception's text may come from elsewhere.
"""

import logging
import re
from datetime import UTC, datetime

from agent_marketplace import json
from agent_marketplace.settings import Settings

_SECRETS = re.compile(
    r"\b(?:sk|pk|rk|hf|gsk|xai|AIza|ghp|glpat)[-_A-Za-z0-9]{12,}|\beyJ[\w-]{8,}\.[\w-]+\.[\w-]+|(?i:bearer|password[=:])\s*\S+"
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"
)
_REQUEST = re.compile(r"\b(?:req|gen)_[0-9A-Za-z]+")
_NOISY = (
    "alembic",
    "uvicorn.error",
    "aiohttp",
    "asyncio",
    "sqlalchemy",
    "psycopg",
)  # at debug they print what they carry


def masked(text: str) -> str:
    """The text without anything that looks like a key, a token or a password."""
    return _SECRETS.sub("***", text)


class TextLines(logging.Formatter):
    """For people."""

    def format(self, record: logging.LogRecord) -> str:
        """Time, level, logger, words; a traceback on the lines after."""
        return masked(super().format(record))


class JsonLines(logging.Formatter):
    """For programs: `at, level, logger, message`, and `request_id`, `exception` where there are such."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        message = masked(record.getMessage())
        line = {
            "at": datetime.fromtimestamp(record.created, UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message,
        }
        found = _REQUEST.search(message)
        if found is not None:
            line["request_id"] = found[0]
        if record.exc_info:
            line["exception"] = masked(self.formatException(record.exc_info))
        return json.encode(line).decode()


def configure(settings: Settings) -> None:
    """Sends this process's log to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(
        JsonLines()
        if settings.log_format == "json"
        else TextLines("%(asctime)s %(levelname)s %(name)s: %(message)s")
    )
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler], force=True)
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
