"""Models, and Model / Generate: choose, fill in, send, watch."""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from rushes.playground import code, forms
from rushes.playground.fault import Fault
from rushes.playground.page import Page
from rushes.playground.public_api import Refused
from rushes.playground.screens.sent import MARKED, Sent, read_sent, typed_again
from rushes.playground.view import model_href, request_view
from rushes.playground.visitor import visitor

RECENT = 8
STATES = ("ready", "no worker")
FILTERS = ("task", "brand", "engine", "state")


async def listing(page: Page) -> Response:
    """GET /models: everything on offer, narrowed by words, task, brand, engine and state."""
    answer = await page.api.get("/models", live=1, q=page.query("q") or None)
    everything = [_model(model) for model in answer["models"]]
    shown = [model for model in everything if all(page.query(name) in ("", model[name]) for name in FILTERS)]
    everyone = everything if not page.query("q") else [_model(m) for m in (await page.api.get("/models"))["models"]]
    return page.render(
        "models/index.html",
        models=shown,
        choices={name: sorted({model[name] for model in everyone}) for name in FILTERS},
        chosen={name: page.query(name) for name in ("q", *FILTERS)},
        total=len(everyone),
        samples=code.get_samples(
            page.origin,
            "/models?expand=1",
            "for model in client.video_manager.get_models():\n        print(model.model)",
        ),
    )


async def detail(page: Page) -> Response:
    """GET /models/{id}: the form, empty, or filled from another request (?from=) with a file of it (?p.name=)."""
    model = await _load(page)
    given = await _given(page, model)
    return await _form(page, model, Sent(given, {}))


async def generate(page: Page) -> Response:
    """POST /models/{id}: submit without scripts, and go on to the page of the request.

    When the session has ended meanwhile, back to the form with its texts, once signed in.
    """
    try:
        page.visitor = await visitor(page)
    except Refused as error:
        if error.status == 401:
            return page.sign_in(await typed_again(page))
        raise
    model = await _load(page)
    sent = await read_sent(page, model)
    if not sent.faults:
        try:
            made = await page.api.post(
                "/requests", {"model": model["model"], "payload": sent.payload}, idempotency_key=sent.key
            )
            return page.redirect(f"/requests/{made['request_id']}")
        except Refused as error:
            if error.status == 401:
                raise
            sent = Sent(sent.payload, forms.faults_of(error.detail), _said(page, error), error.status)
    return await _form(page, model, sent)


async def _load(page: Page) -> dict[str, Any]:
    model_id = page.request.path_params["model_id"]
    return _model(await page.api.get(f"/models/{model_id}", live=1))


async def _given(page: Page, model: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the form begins with: the payload of another request, then what the address itself says."""
    given: dict[str, Any] | None = None
    if source := page.query("from"):
        record = await page.api.get(f"/requests/{quote(source, safe='')}")
        given = dict(record["payload"])
    names = {parameter["name"] for parameter in model["parameters"]}
    named = {name: page.query(forms.PREFIX + name) for name in names if page.query(forms.PREFIX + name)}
    return {**(given or {}), **named} if given is not None or named else None


async def _form(page: Page, model: dict[str, Any], sent: Sent) -> Response:
    fields = forms.fields_of(model, sent.payload, sent.faults)
    recent = await page.api.get("/requests", model_id=model["model"], limit=RECENT)
    return page.render(
        "models/detail.html",
        200 if not sent.said else sent.status,
        model=model,
        fields=fields,
        grouped={group: [f for f in fields if f.group == group] for group in ("needed", "common", "advanced")},
        sent=sent,
        key=secrets.token_urlsafe(24),
        faults=forms.fault_choices() if page.ordered_faults else [],
        samples=code.submit_samples(page.origin, model["model"], sent.payload or _example(model)),
        recent=[request_view(record, page.now) for record in recent["requests"]],
    )


def _example(model: Mapping[str, Any]) -> dict[str, Any]:
    return dict(model.get("example") or {"prompt": ""})


def _said(page: Page, error: Refused) -> Fault:
    said = page.fault(error)
    return replace(said, advice=MARKED) if error.code == "invalid_payload" else said


def _model(model: Mapping[str, Any]) -> dict[str, Any]:
    """A model object with what the page says of it."""
    live: dict[str, Any] = model.get("live") or {"queued": 0, "running": 0, "median_seconds": None, "loaded_on": []}
    return {
        **model,
        "live": live,
        "href": model_href(model["model"]),
        "brand": model["org_id"],
        "state": "ready" if model["available"] else "no worker",
        "still": still_of(model["model"]),
        "takes": [each["type"] for each in model["modalities"]["input"]],
    }


def still_of(model_id: str) -> str:
    """The file of a model's picture; a card of an operator's own has none."""
    safe = "".join(letter if letter.isalnum() else "-" for letter in model_id.lower())
    return f"stills/{safe}.webp"
