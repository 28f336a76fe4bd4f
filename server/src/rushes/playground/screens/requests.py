"""Requests: the list with its filters, and one request with all there is to know of it."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from rushes.domain.request import Status
from rushes.playground import code
from rushes.playground.charts import timeline
from rushes.playground.page import Page
from rushes.playground.public_api import Refused
from rushes.playground.screens.home import local_path
from rushes.playground.screens.lineage import lineage
from rushes.playground.search import read_search
from rushes.playground.view import model_href, request_view

PAGE = 100
ACTIONS = {"cancel": "cancel", "retry": "retry"}


async def listing(page: Page) -> Response:
    """GET /requests: newest first, every filter and page with an address of its own."""
    search = read_search(page.request.query_params)
    query = {**search.query, "limit": PAGE, "cursor": page.query("cursor") or None}
    answer = await page.api.get("/requests", **query)
    models = (await page.api.get("/models", expand=1))["model_ids"]
    return page.render(
        "requests/index.html",
        views=[request_view(record, page.now) for record in answer["requests"]],
        total=answer["total"],
        capped=answer.get("total_capped") is True,
        next_cursor=answer["next_cursor"],
        search=search,
        models=models,
        statuses=[status.value for status in Status if status is not Status.CREATED],
        samples=code.get_samples(
            page.origin,
            search.path,
            "for request in client.video_manager.get_requests():\n        print(request.request_id, request.status)",
        ),
    )


async def detail(page: Page) -> Response:
    """GET /requests/{id}: stage, facts, timeline, payload, cost, what to do next."""
    request_id = quote(page.request.path_params["request_id"], safe="")
    record = await page.api.get(f"/requests/{request_id}", attempts=1, cleaned=1)
    events = (await page.api.get(f"/requests/{request_id}/events"))["events"]
    deliveries = (await page.api.get(f"/requests/{request_id}/deliveries"))["deliveries"]
    model = await _model(page, record["model"])
    before, after = await lineage(page, record)
    return page.render(
        "requests/detail.html",
        before=before,
        after=after,
        record=record,
        view=request_view(record, page.now),
        events=events,
        attempts=record.get("attempts", []),
        timeline=timeline(record, page.now),
        deliveries=deliveries,
        model=model,
        payload=_compared(record, model),
        next_film=await _next_film(page, model) if record["status"] == "success" else None,
        samples=code.get_samples(
            page.origin,
            f"/requests/{record['request_id']}",
            f'print(client.video_manager.get_request_detail("{record["request_id"]}"))',
        ),
    )


async def act(page: Page) -> Response:
    """POST /requests/{id}/cancel, /retry and /purge, from a form; then back to the request, or to the new one."""
    request_id = quote(page.request.path_params["request_id"], safe="")
    action = page.request.path_params["action"]
    path = f"/requests/{request_id}"
    form = await page.request.form(max_files=0, max_fields=4)
    match action:
        case "cancel" | "retry":
            answer = await page.api.post(f"{path}/{action}", {})
        case "purge":
            if str(form.get("confirm", "")).strip() != page.request.path_params["request_id"][:4]:
                return page.redirect(f"/requests/{request_id}?confirm=wrong#purge")
            answer = await page.api.delete(path, purge="true")
        case _:
            return page.missing()
    back = str(form.get("back") or f"/requests/{answer['request_id']}")
    return page.redirect(local_path(back))


async def _model(page: Page, model_id: str) -> Mapping[str, Any] | None:
    """The model of a request; None when the catalogue no longer has it."""
    try:
        return await page.api.get(f"/models/{model_id}")
    except Refused as error:
        if error.status == 404:
            return None
        raise


async def _next_film(page: Page, model: Mapping[str, Any] | None) -> tuple[str, str] | None:
    """The form that a frame can begin a film in, and its field: this model's, its family's, else any other's."""
    models: list[Mapping[str, Any]] = []
    if model is not None:
        models = [model, *(await page.api.get("/models", family=model["family"]))["models"]]
    if not any(_first_frame(each) for each in models):
        models = (await page.api.get("/models", task="image-to-video"))["models"]
    return next((found for each in models if (found := _first_frame(each))), None)


def _first_frame(model: Mapping[str, Any]) -> tuple[str, str] | None:
    names = (parameter["name"] for parameter in model["parameters"] if parameter["role"] == "image")
    name = next(names, None)
    return (model_href(model["model"]), name) if name else None


def _compared(record: Mapping[str, Any], model: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Each parameter as it was sent, as it was used, and what the model takes by itself."""
    sent: dict[str, Any] = record["payload"]
    used: dict[str, Any] = record.get("cleaned_payload") or {}
    defaults: dict[str, Any] = {p["name"]: p["default_value"] for p in model["parameters"]} if model else {}
    rows: list[dict[str, Any]] = []
    for name in dict.fromkeys([*sent, *used]):
        value = used.get(name, sent.get(name))
        rows.append(
            {
                "name": name,
                "value": value,
                "default": defaults.get(name),
                "changed": name in sent and value != defaults.get(name),
                "unknown": bool(defaults) and name not in defaults,
            }
        )
    return rows
