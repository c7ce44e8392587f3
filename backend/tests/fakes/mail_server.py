"""A real mail server (aiosmtpd) on a port of this machine, that keeps what it gets."""

import asyncio
import logging
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiosmtpd.smtp import SMTP

logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # handshakes that a test lets fail


class Kept:
    """What arrived: (recipients, content). refuses: what recipients are told."""

    def __init__(self, refuses: str = "") -> None:
        self.mails: list[tuple[list[str], bytes]] = []
        self.refuses = refuses
        self._came = threading.Condition()

    def wait_for(self, count: int, words: bytes) -> None:
        """Until so many mails with these words are here."""

        def here() -> bool:
            return sum(words in content for _, content in self.mails) >= count

        with self._came:
            assert self._came.wait_for(here, timeout=30), self.mails

    async def handle_RCPT(self, _s: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        if self.refuses:
            return self.refuses
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        with self._came:
            self.mails.append((envelope.rcpt_tos, envelope.content))
            self._came.notify_all()
        return "250 OK"


@contextmanager
def serving(kept: Kept, *, tls: ssl.SSLContext | None = None, **options: Any) -> Iterator[int]:
    """Serves until the block ends. tls: from the first byte; options: of aiosmtpd's SMTP. Returns its port."""
    loop = asyncio.new_event_loop()

    def session() -> SMTP:
        return SMTP(kept, enable_SMTPUTF8=True, loop=loop, hostname="localhost", **options)

    server = loop.run_until_complete(loop.create_server(session, "127.0.0.1", 0, ssl=tls))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def close() -> None:
        server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
