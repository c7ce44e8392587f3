"""Administrators' routes of alerts: rules, targets, tests."""

from typing import Any

from fastapi import Depends, Response

from agent_marketplace.alerts import Rule, State
from agent_marketplace.alerts.rules import written
from agent_marketplace.api import alert_schemas as schemas
from agent_marketplace.api import present
from agent_marketplace.api.admin_schemas import Acted
from agent_marketplace.api.deps import Address, AdminPerson, Router, The, admin
from agent_marketplace.api.envelope import success
from agent_marketplace.api.schemas import Reply
from agent_marketplace.api.v1.admin import By, prove

router = Router(prefix="/api/v1/admin/alerts", tags=["administration"], dependencies=[Depends(admin)])


@router.get(
    "",
    summary="Rules as they stand, and where they are told",
    responses={200: {"model": schemas.AlertsShown}},
)
async def get_alerts(market: The) -> Response:
    targets = [
        {
            "id": t.id, "kind": t.kind, "to": t.shown, "failures": t.failures, "words": t.words,
            "disabled_at": present.iso(t.disabled_at),
        }
        for t in await market.alerts.targets()
    ]  # fmt: skip
    return success(rules=[_rule(*found) for found in await market.alerts.rules()], targets=targets)


@router.put("/rules/{rule}", summary="Change a rule", responses={200: {"model": Acted}})
async def set_rule(market: The, by: By, rule: str, body: schemas.SetAlertRule) -> Response:
    await market.alerts.set_rule(by, rule, armed=body.on, most=body.limit, reason=body.reason)
    return success(request_id=by.request_id)


@router.post(
    "/targets", summary="Tell alerts here, too", responses={200: {"model": schemas.AlertTargetAdded}}
)
async def add_target(
    market: The, principal: AdminPerson, by: By, body: schemas.AddAlertTarget, address: Address
) -> Response:
    await prove(market, principal, body.password, address)
    made = await market.alerts.add_target(by, body.kind, body.address, reason=body.reason)
    return success(id=made.id, request_id=by.request_id)


@router.post(
    "/targets/{target_id}/test",
    summary="Tell a target something now; where it arrives, it is on again",
    responses={200: {"model": Reply}},
)
async def test_target(market: The, target_id: str) -> Response:
    await market.alerts.test(target_id)
    return success()


@router.delete(
    "/targets/{target_id}", summary="Tell nothing here any more", responses={200: {"model": Acted}}
)
async def remove_target(market: The, by: By, target_id: str, body: schemas.RemoveAlertTarget) -> Response:
    await market.alerts.remove_target(by, target_id, reason=body.reason)
    return success(request_id=by.request_id)


def _rule(rule: Rule, state: State) -> dict[str, Any]:
    return {
        "name": rule.name, "words": rule.words, "unit": rule.unit, "on": bool(state.armed), "limit": state.most,
        "state": state.state, "value": state.value,
        "shown": None if state.value is None else written(rule.unit, state.value),
        "shown_limit": written(rule.unit, state.most), "details": state.words, "since": present.iso(state.changed_at),
    }  # fmt: skip
