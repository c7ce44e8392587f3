"""Conversations and agents (named presets) of the caller."""

from typing import Annotated, Literal

from fastapi import Query, Response

from agent_marketplace.api import present, replies, schemas
from agent_marketplace.api.deps import Reader, Router, The, Writer
from agent_marketplace.api.envelope import success
from agent_marketplace.conversations.export import export

router = Router(prefix="/api/v1/agents", tags=["conversations"])
Limit = Annotated[int, Query(ge=1, le=200)]
Text = Annotated[str | None, Query(max_length=500)]
_WHOLE = 1 << 31
Label = Annotated[str, Query(max_length=60, description="Only those that lie there")]


@router.get(
    "/conversations",
    summary="My conversations, newest first; q searches their contents",
    responses={200: {"model": replies.Conversations}},
)
async def list_conversations(
    market: The,
    principal: Reader,
    q: Text = None,
    folder: Label = "",
    tag: Label = "",
    cursor: Text = None,
    limit: Limit = 50,
) -> Response:
    if folder or tag or (q and q.strip()):
        page = await market.conversations.search(
            principal.user_id, q or "", folder=folder, tag=tag, cursor=cursor, limit=limit
        )
    else:
        page = await market.conversations.list(principal.user_id, cursor=cursor, limit=limit)
    return success(
        conversations=[present.conversation(c) for c in page.conversations],
        next_cursor=page.next_cursor,
        complete=page.complete,
    )


@router.get(
    "/conversations/{conversation_id}",
    summary="One conversation with all its branches; with a limit its newest messages, and where the page before them ends",
    responses={200: {"model": replies.Conversation}},
)
async def get_conversation(
    market: The,
    principal: Reader,
    conversation_id: str,
    limit: Annotated[int, Query(ge=0, le=2_000, description="0: all of it")] = 0,
    before: Annotated[int | None, Query(ge=1, le=1 << 53, description="`earlier` of the page after")] = None,
) -> Response:
    head = await market.conversations.get(principal.user_id, conversation_id)
    messages, earlier = await market.conversations.page(
        principal.user_id, conversation_id, before, limit or _WHOLE
    )
    shown = [present.message(m) for m in messages]
    return success(conversation=present.conversation(head), messages=shown, earlier=earlier)


@router.patch(
    "/conversations/{conversation_id}",
    summary="Rename, pin, put into a folder, tag",
    responses={200: {"model": replies.ConversationChanged}},
)
async def patch_conversation(
    market: The, principal: Writer, conversation_id: str, body: schemas.PatchConversation
) -> Response:
    if body.title is not None:
        await market.conversations.rename(principal.user_id, conversation_id, body.title)
    if body.pinned is not None:
        await market.conversations.pin(principal.user_id, conversation_id, body.pinned)
    if body.folder is not None or body.tags is not None:
        await market.library.folders.put(
            principal.user_id, conversation_id, folder=body.folder, tags=body.tags
        )
    return success(
        conversation=present.conversation(await market.conversations.get(principal.user_id, conversation_id))
    )


@router.delete(
    "/conversations/{conversation_id}",
    summary="Delete a conversation",
    responses={200: {"model": schemas.Reply}},
)
async def delete_conversation(market: The, principal: Writer, conversation_id: str) -> Response:
    await market.conversations.delete(principal.user_id, conversation_id)
    return success()


@router.get("/conversations/{conversation_id}/export", summary="A conversation as a file")
async def export_conversation(
    market: The,
    principal: Reader,
    conversation_id: str,
    form: Annotated[Literal["markdown", "json"], Query(alias="format")] = "markdown",
) -> Response:
    head = await market.conversations.get(principal.user_id, conversation_id)
    messages = await market.conversations.messages(principal.user_id, conversation_id)
    ending, kind = (
        ("md", "text/markdown; charset=utf-8") if form == "markdown" else ("json", "application/json")
    )
    name = f"conversation-{conversation_id}.{ending}"
    return Response(
        export(head, messages, form),
        media_type=kind,
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


@router.get("/agents", summary="My agents", responses={200: {"model": replies.Agents}})
async def list_agents(market: The, principal: Reader) -> Response:
    return success(agents=[present.agent(a) for a in await market.agents.list(principal.user_id)])


@router.post(
    "/agents",
    summary="Make an agent: a named preset of model, instructions, parameters",
    responses={200: {"model": replies.AgentReply}},
)
async def create_agent(market: The, principal: Writer, body: schemas.AgentBody) -> Response:
    made = await market.agents.create(
        principal.user_id,
        name=body.name,
        model=body.model,
        instructions=body.instructions,
        parameters=body.parameters,
    )
    return success(agent=present.agent(made))


@router.get(
    "/agents/{agent_id}",
    summary="One agent with its versions",
    responses={200: {"model": replies.AgentVersions}},
)
async def get_agent(market: The, principal: Reader, agent_id: str) -> Response:
    versions = await market.agents.versions(principal.user_id, agent_id)
    return success(agent=present.agent(versions[0]), versions=[present.agent(v) for v in versions])


@router.patch(
    "/agents/{agent_id}",
    summary="Change an agent: makes a new version",
    responses={200: {"model": replies.AgentReply}},
)
async def patch_agent(market: The, principal: Writer, agent_id: str, body: schemas.PatchAgent) -> Response:
    changed = await market.agents.update(
        principal.user_id,
        agent_id,
        name=body.name,
        model=body.model,
        instructions=body.instructions,
        parameters=body.parameters,
    )
    return success(agent=present.agent(changed))


@router.delete(
    "/agents/{agent_id}",
    summary="Delete an agent; its conversations stay",
    responses={200: {"model": schemas.Reply}},
)
async def delete_agent(market: The, principal: Writer, agent_id: str) -> Response:
    await market.agents.delete(principal.user_id, agent_id)
    return success()
