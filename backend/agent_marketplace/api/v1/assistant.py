"""What Q Assistant knows about its own estimates."""

from typing import Annotated

import msgspec
from fastapi import Query, Response

from agent_marketplace.api import replies
from agent_marketplace.api.deps import Reader, Router, The
from agent_marketplace.api.envelope import success

router = Router(prefix="/api/v1/marketplace", tags=["assistant"])


@router.get(
    "/estimates/calibration",
    summary="How well the estimates of my calls matched what was charged",
    responses={200: {"model": replies.Calibrated}},
)
async def get_calibration(
    market: The, principal: Reader, days: Annotated[int, Query(ge=1, le=366)] = 30
) -> Response:
    found = await market.learner.calibration(principal.user_id, days)
    return success(calibration=msgspec.to_builtins(found), days=days)
