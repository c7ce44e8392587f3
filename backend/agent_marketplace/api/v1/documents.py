"""Documents as text, for models that read no files."""

from fastapi import Request, Response

from agent_marketplace.api import replies
from agent_marketplace.api.deps import Router, Runner, The
from agent_marketplace.api.envelope import success
from agent_marketplace.errors import BadRequest

router = Router(prefix="/api/v1/agents", tags=["conversations"])
_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post(
    "/documents",
    summary="The text of a PDF, Word, Excel or PowerPoint file",
    responses={200: {"model": replies.Document}},
    openapi_extra=_BODY,
)
async def extract_document(market: The, _principal: Runner, request: Request) -> Response:
    data = await request.body()
    if not data:
        raise BadRequest("The body is the file, and it is empty")
    found = await market.documents.read(data)
    return success(kind=found.kind, text=found.text, parts=found.parts, cut=found.cut)
