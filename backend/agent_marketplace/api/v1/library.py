"""What belongs to chats besides talking: folders and tags, links that others read, kept prompts, chats brought along."""

from typing import Annotated

from fastapi import Path, Request, Response

from agent_marketplace import json
from agent_marketplace.api import library_replies as replies
from agent_marketplace.api import present
from agent_marketplace.api.deps import Reader, Router, The, Writer
from agent_marketplace.api.envelope import success
from agent_marketplace.api.schemas import Reply
from agent_marketplace.api.screen import aside
from agent_marketplace.api.v1.agent_body import read_bytes
from agent_marketplace.errors import BadRequest

router = Router(prefix="/api/v1/agents", tags=["conversations"])
Token = Annotated[str, Path(max_length=64)]
_EXPORT = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {},
                "example": [{"title": "Mine", "messages": [{"role": "user", "content": "Hi"}]}],
            }
        },
    }
}


@router.get(
    "/labels",
    summary="My folders and tags, with how many chats lie there",
    responses={200: {"model": replies.Labels}},
)
async def get_labels(market: The, principal: Reader) -> Response:
    folders, tags = await market.library.folders.all(principal.user_id)
    return success(folders=_counted(folders), tags=_counted(tags))


@router.post(
    "/import",
    summary="Bring chats along: an export from here, from ChatGPT or from Open WebUI",
    responses={200: {"model": replies.Imported}},
    openapi_extra=_EXPORT,
)
async def import_chats(request: Request, market: The, principal: Writer) -> Response:
    data = await read_bytes(request)
    bringing = market.library.bringing
    try:
        chats, skipped = await aside(len(data), lambda: bringing.read(json.decode(data)))
    except ValueError:
        raise BadRequest("The file is not JSON") from None
    brought = await bringing.store(principal.user_id, chats, skipped)
    return success(
        imported=brought.conversations,
        messages=brought.messages,
        skipped=[{"title": each.title, "why": each.why} for each in brought.skipped],
    )


@router.get(
    "/conversations/{conversation_id}/share",
    summary="The link by which others read this chat",
    responses={200: {"model": replies.OneShare}},
)
async def get_share(market: The, principal: Reader, conversation_id: str) -> Response:
    found = await market.library.shares.get(principal.user_id, conversation_id)
    return success(share=None if found is None else present.share(found))


@router.put(
    "/conversations/{conversation_id}/share",
    summary="Make the link, or have it show the chat as it is now",
    responses={200: {"model": replies.OneShare}},
)
async def put_share(
    market: The, principal: Writer, conversation_id: str, body: replies.ShareBody
) -> Response:
    made = await market.library.shares.share(principal.user_id, conversation_id, body.leaf_id)
    return success(share=present.share(made))


@router.delete(
    "/conversations/{conversation_id}/share",
    summary="Take the link back: it leads nowhere from now on",
    responses={200: {"model": Reply}},
)
async def delete_share(market: The, principal: Writer, conversation_id: str) -> Response:
    await market.library.shares.revoke(principal.user_id, conversation_id)
    return success()


@router.get(
    "/shares", summary="My links to chats, newest first", responses={200: {"model": replies.ManyShares}}
)
async def list_shares(market: The, principal: Reader) -> Response:
    return success(
        shares=[present.share(each) for each in await market.library.shares.list(principal.user_id)]
    )


@router.get(
    "/shared/{token}",
    summary="A chat that somebody shared; needs no account",
    responses={200: {"model": replies.SharedReply}},
)
async def read_shared(market: The, token: Token) -> Response:
    found = await market.library.shares.read(token)
    return success(chat=present.shared_chat(found), headers={"x-robots-tag": "noindex"})


@router.get("/prompts", summary="My kept prompts", responses={200: {"model": replies.Prompts}})
async def list_prompts(market: The, principal: Reader) -> Response:
    return success(prompts=[present.prompt(p) for p in await market.library.prompts.list(principal.user_id)])


@router.post("/prompts", summary="Keep a prompt", responses={200: {"model": replies.OnePrompt}})
async def create_prompt(market: The, principal: Writer, body: replies.PromptBody) -> Response:
    kept = await market.library.prompts.create(principal.user_id, name=body.name, text=body.text)
    return success(prompt=present.prompt(kept))


@router.patch(
    "/prompts/{prompt_id}", summary="Change a kept prompt", responses={200: {"model": replies.OnePrompt}}
)
async def patch_prompt(market: The, principal: Writer, prompt_id: str, body: replies.PatchPrompt) -> Response:
    kept = await market.library.prompts.change(principal.user_id, prompt_id, name=body.name, text=body.text)
    return success(prompt=present.prompt(kept))


@router.delete("/prompts/{prompt_id}", summary="Forget a kept prompt", responses={200: {"model": Reply}})
async def delete_prompt(market: The, principal: Writer, prompt_id: str) -> Response:
    await market.library.prompts.delete(principal.user_id, prompt_id)
    return success()


def _counted(found: dict[str, int]) -> list[dict[str, object]]:
    """By name, as people read lists."""
    return [{"name": name, "chats": found[name]} for name in sorted(found, key=str.casefold)]
