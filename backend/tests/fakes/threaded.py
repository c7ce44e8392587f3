"""The fake upstream on an event loop of its own, for tests whose server and clients are other processes and threads."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator

from tests.fakes.upstream import Behaviour, FakeUpstream


class Threaded:
    """A running fake; touch it only through here."""

    def __init__(self, fake: FakeUpstream, loop: asyncio.AbstractEventLoop) -> None:
        self.fake = fake
        self.base_url = fake.base_url
        self._loop = loop

    def fresh(self) -> None:
        """Forgets the requests so far; stepped streams wait again."""
        self.fake.requests.clear()
        self.fake._permits = asyncio.Semaphore(0)

    def release(self, chunks: int) -> None:
        """Lets that many chunks of stepped streams go."""
        self._loop.call_soon_threadsafe(self.fake.release, chunks)


@contextlib.contextmanager
def threaded_upstream(*script: Behaviour) -> Iterator[Threaded]:
    """A fake upstream until the block ends."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    fake = FakeUpstream(*script, judged=True)
    asyncio.run_coroutine_threadsafe(fake.__aenter__(), loop).result(10)
    try:
        yield Threaded(fake, loop)
    finally:
        asyncio.run_coroutine_threadsafe(fake.__aexit__(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
