"""Folders and tags of conversations, sealed like their titles."""

from collections.abc import Sequence

import sqlalchemy as sa

from agent_marketplace.conversations import rows, store
from agent_marketplace.conversations.types import Labels
from agent_marketplace.db.engine import Database
from agent_marketplace.errors import BadRequest, NotFound
from agent_marketplace.vault import Vault

MAX_LABEL = 60
MAX_TAGS = 10


class Folders:
    """A conversation lies in at most one folder, and under some tags. Both exist as long as something lies there."""

    def __init__(self, db: Database, vault: Vault) -> None:
        self._db = db
        self._vault = vault

    async def all(self, user_id: str) -> tuple[dict[str, int], dict[str, int]]:
        """(folders, tags), each with how many conversations lie there."""
        cipher = await self._vault.texts(user_id)

        def work(connection: sa.Connection) -> tuple[dict[str, int], dict[str, int]]:
            folders: dict[str, int] = {}
            tags: dict[str, int] = {}
            for row in store.labels(connection, user_id):
                found = rows.labels_of(cipher, row.conversation_id, row.labels_sealed)
                if found.folder:
                    folders[found.folder] = folders.get(found.folder, 0) + 1
                for tag in found.tags:
                    tags[tag] = tags.get(tag, 0) + 1
            return folders, tags

        return await self._db.read(work)

    async def put(
        self,
        user_id: str,
        conversation_id: str,
        *,
        folder: str | None = None,
        tags: Sequence[str] | None = None,
    ) -> None:
        """Into a folder ("": out of its folder) and under these tags; None leaves what is. Raises BadRequest, NotFound."""
        cipher = await self._vault.texts(user_id)
        wanted = _folder(folder), _tags(tags)

        def work(connection: sa.Connection) -> None:
            # Held, so that a folder and tags given at once by two callers are both kept.
            if not store.lock_conversation(connection, user_id, conversation_id):
                raise NotFound("No such conversation")
            row = store.conversation(connection, user_id, conversation_id)
            assert row is not None
            before = rows.labels_of(cipher, conversation_id, row.labels_sealed)
            after = Labels(
                folder=before.folder if wanted[0] is None else wanted[0],
                tags=before.tags if wanted[1] is None else wanted[1],
            )
            sealed = rows.seal_labels(cipher, conversation_id, after)
            store.change_conversation(connection, user_id, conversation_id, {"labels_sealed": sealed})

        await self._db.write(work)


def _folder(folder: str | None) -> str | None:
    if folder is None:
        return None
    name = " ".join(folder.split())
    if len(name) > MAX_LABEL:
        raise BadRequest(f"A folder's name has at most {MAX_LABEL} characters")
    return name


def _tags(tags: Sequence[str] | None) -> list[str] | None:
    if tags is None:
        return None
    names = list(dict.fromkeys(name for tag in tags if (name := " ".join(tag.split()))))
    if len(names) > MAX_TAGS or any(len(name) > MAX_LABEL for name in names):
        raise BadRequest(f"At most {MAX_TAGS} tags, each of at most {MAX_LABEL} characters")
    return names
