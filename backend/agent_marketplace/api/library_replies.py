"""Bodies and replies of folders, shared links, kept prompts and imports."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from agent_marketplace.api.schemas import Body, Reply, Short


class Label(BaseModel):
    """A folder or tag; chats: how many lie there."""

    name: str
    chats: int


class Labels(Reply):
    folders: list[Label]
    tags: list[Label]


class SkippedChat(BaseModel):
    title: str
    why: str


class Imported(Reply):
    """imported: chats that are here now; skipped: those that are not, and why."""

    imported: int
    messages: int
    skipped: list[SkippedChat]


class ShareBody(Body):
    """leaf_id: the last message that the link shows, with all before it; absent: the newest."""

    leaf_id: Short | None = None


class ShareOut(BaseModel):
    """path: of the page that the link leads to, on this server."""

    conversation_id: str
    title: str
    path: str
    leaf_id: str
    shared_at: str


class OneShare(Reply):
    share: ShareOut | None


class ManyShares(Reply):
    shares: list[ShareOut]


class SharedMessageOut(BaseModel):
    """images: how many there were; they are not shown."""

    role: Literal["user", "assistant"]
    content: str
    model: str | None
    images: int
    created_at: str


class SharedChatOut(BaseModel):
    title: str
    shared_at: str
    messages: list[SharedMessageOut]


class SharedReply(Reply):
    chat: SharedChatOut


class PromptBody(Body):
    """`{{name}}` in text is a blank; `{{name=word}}` one that is filled already."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    text: Annotated[str, Field(min_length=1, max_length=100_000)]


class PatchPrompt(Body):
    name: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    text: Annotated[str, Field(min_length=1, max_length=100_000)] | None = None


class PromptOut(BaseModel):
    id: str
    name: str
    text: str
    created_at: str
    updated_at: str


class Prompts(Reply):
    prompts: list[PromptOut]


class OnePrompt(Reply):
    prompt: PromptOut
