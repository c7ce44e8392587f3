"""Mail handed to the operator's mail server, with the standard library's client. Blocking: for a thread."""

import smtplib
import ssl
from collections.abc import Callable
from email.message import EmailMessage

from agent_marketplace.settings import SmtpServer

_TIMEOUT_S = 20.0
_PERMANENT = 500


class NotSent(Exception):
    """The mail server did not take it. for_good: it never will; away: nobody was there to say so."""

    def __init__(self, words: str, *, for_good: bool = False, away: bool = False) -> None:
        super().__init__(words)
        self.for_good = for_good
        self.away = away


def deliver(server: SmtpServer, message: EmailMessage, *, trusted: ssl.SSLContext | None = None) -> None:
    """Hands one message over. trusted: whose certificates count, by default the system's. Raises NotSent."""
    _told(server, lambda client: client.send_message(message), trusted)


def greet(server: SmtpServer, *, trusted: ssl.SSLContext | None = None) -> None:
    """Signs in and says nothing. Raises NotSent."""
    _told(server, lambda client: client.noop(), trusted)


def _told(server: SmtpServer, say: Callable[[smtplib.SMTP], object], trusted: ssl.SSLContext | None) -> None:
    secured = trusted or ssl.create_default_context()
    try:
        with _connected(server, secured) as client:
            if server.tls == "starttls":
                client.starttls(context=secured)
            if server.user is not None:
                client.login(server.user, server.password or "")
            say(client)
    except smtplib.SMTPRecipientsRefused as error:
        code, words = next(iter(error.recipients.values()))
        raise NotSent(_said(code, words), for_good=code >= _PERMANENT) from error
    except smtplib.SMTPAuthenticationError as error:
        raise NotSent(_said(error.smtp_code, error.smtp_error), away=True) from error
    except smtplib.SMTPResponseException as error:
        for_good = not isinstance(error, smtplib.SMTPConnectError | smtplib.SMTPHeloError)
        raise NotSent(
            _said(error.smtp_code, error.smtp_error), for_good=for_good and error.smtp_code >= _PERMANENT
        ) from error
    except (OSError, smtplib.SMTPException, ValueError) as error:
        raise NotSent(f"{type(error).__name__}: {error}"[:300], away=True) from error


def _connected(server: SmtpServer, secured: ssl.SSLContext) -> smtplib.SMTP:
    if server.tls == "tls":
        return smtplib.SMTP_SSL(server.host, server.port, timeout=_TIMEOUT_S, context=secured)
    return smtplib.SMTP(server.host, server.port, timeout=_TIMEOUT_S)


def _said(code: int, words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return f"the mail server said {code}: {' '.join(text.split())}"[:300]
