"""Webhooks: standing endpoints, the built-in receiver, secrets, and the log of deliveries."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from rushes.playground.calls import call_samples
from rushes.playground.page import Page
from rushes.playground.public_api import Refused
from rushes.playground.screens.organisation import fields, read, read_or_none, send, under

STATES = ("waiting", "delivered", "given_up")
PAGE = 50


async def listing(page: Page) -> Response:
    """GET /webhooks."""
    return await _shown(page)


async def delivery(page: Page) -> Response:
    """GET /webhooks/deliveries/{id}: one delivery, with body and headers as they would be sent now."""
    delivery_id = quote(page.request.path_params["delivery_id"], safe="")
    told = await read(page, f"deliveries/{delivery_id}")
    return page.render(
        "webhooks/delivery.html",
        told=told,
        samples=call_samples(page, f"deliveries/{delivery_id}"),
    )


async def act(page: Page) -> Response:
    """POST /webhooks/{action}, from a form; then back, but for what is shown once or went wrong."""
    form = await fields(page)
    one = quote(str(form.get("id", "")), safe="")
    try:
        match page.request.path_params["action"]:
            case "add":
                chosen = [str(value) for value in form.getlist("events")]
                body = {"url": str(form.get("url", "")).strip(), "events": chosen or None}
                await send(page, "POST", "webhook-endpoints", body)
            case "test":
                result = await send(page, "POST", f"webhook-endpoints/{one}/test")
                return await _shown(page, tested=result)
            case "enable" | "disable" as wanted:
                await send(page, "PATCH", f"webhook-endpoints/{one}", {"enabled": wanted == "enable"})
            case "delete":
                await send(page, "DELETE", f"webhook-endpoints/{one}")
            case "secret":
                return await _shown(page, secret=await send(page, "POST", "webhook-secrets"))
            case "revoke":
                await send(page, "DELETE", f"webhook-secrets/{one}")
            case "catcher":
                await send(page, "POST", "webhook-catcher")
            case "forget":
                await send(page, "DELETE", "webhook-catcher")
            case "resend":
                await send(page, "POST", f"deliveries/{one}/resend")
                return page.redirect(f"/webhooks/deliveries/{one}")
            case _:
                return page.missing()
    except Refused as error:
        if error.status == 401:
            raise
        return await _shown(page, error=error, url=str(form.get("url", "")))
    return page.redirect("/webhooks")


async def _shown(
    page: Page,
    *,
    error: Refused | None = None,
    url: str = "",
    tested: Mapping[str, Any] | None = None,
    secret: Mapping[str, Any] | None = None,
) -> Response:
    endpoints = await read(page, "webhook-endpoints")
    state = page.query("state") if page.query("state") in STATES else ""
    log = await read(page, "deliveries", state=state or None, cursor=page.query("cursor") or None, limit=PAGE)
    secrets = await read_or_none(page, "webhook-secrets", 403)
    answer = page.render(
        "webhooks/index.html",
        error.status if error else 200,
        error=error,
        url=url,
        tested=tested,
        secret=secret,
        endpoints=endpoints["endpoints"],
        event_types=endpoints["event_types"],
        secrets=None if secrets is None else secrets["secrets"],
        catcher=await read_or_none(page, "webhook-catcher", 404),
        catcher_path=under(page, "webhook-catcher"),
        deliveries=log["deliveries"],
        next_cursor=log["next_cursor"],
        state=state,
        states=STATES,
        samples=call_samples(page, "deliveries" + (f"?state={state}" if state else "")),
    )
    if secret is not None:
        answer.headers["Cache-Control"] = "no-store"
    return answer
