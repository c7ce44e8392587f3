"""Whether what the settings name can be reached from here: the mail server, Stripe, a collector, the public address."""

import asyncio
from collections.abc import Iterator

from agent_marketplace.net.errors import NetError
from agent_marketplace.net.factory import make_client
from agent_marketplace.net.http import OutboundClient, OutboundRequest, Timeouts
from agent_marketplace.net.smtp import NotSent, greet
from agent_marketplace.payments.stripe_checkout import API
from agent_marketplace.settings import Settings

_TIMEOUTS = Timeouts(connect_s=5, first_byte_s=10, idle_s=10, total_s=15)
_MOST = 1_000_000
_UNAUTHORIZED = (401, 403)


def examine(settings: Settings) -> list[str]:
    """Every one that can't, in words."""
    return [*_mail(settings), *asyncio.run(_web(settings))]


def _mail(settings: Settings) -> Iterator[str]:
    if settings.mail.mode == "smtp" and settings.mail.smtp is not None:
        try:
            greet(settings.mail.smtp)
        except NotSent as error:
            yield f"MARKETPLACE_SMTP_URL: no mail can be handed over: {error}"


async def _web(settings: Settings) -> list[str]:
    client, found = make_client(settings), []
    try:
        if settings.payments.stripe_key:
            url = f"{settings.payments.stripe_url or API}/v1/balance"
            status, words = await _asked(
                client, url, {"authorization": f"Bearer {settings.payments.stripe_key}"}
            )
            if status in _UNAUTHORIZED:
                found.append("STRIPE_SECRET_KEY is refused by Stripe")
            elif status is None:
                found.append(f"MARKETPLACE_STRIPE_URL: Stripe can't be reached: {words}")
        if settings.site and (settings.payments.stripe_key or settings.payments.secret):
            status, words = await _asked(client, f"{settings.site}/healthz", {})
            if status != 200:
                said = words if status is None else f"it answers {status}"
                found.append(
                    f"MARKETPLACE_SITE: {settings.site} does not lead to this server, so notices of payments can't: {said}"
                )
        if settings.otlp_endpoint:
            status, words = await _asked(client, settings.otlp_endpoint, {})
            if status is None:
                found.append(f"OTEL_EXPORTER_OTLP_ENDPOINT can't be reached: {words}")
    finally:
        await client.close()
    return found


async def _asked(client: OutboundClient, url: str, headers: dict[str, str]) -> tuple[int | None, str]:
    """(what it answered, or None; why it did not)"""
    try:
        answer = await client.send(
            OutboundRequest("GET", url, headers, b"", _TIMEOUTS, allow_private=True, max_body=_MOST)
        )
        await answer.read(_MOST)
    except NetError as error:
        return None, str(error)[:200]
    return answer.status, ""
