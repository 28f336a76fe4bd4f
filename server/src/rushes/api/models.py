"""The catalogue over HTTP. Keys see ids, sessions see objects; `?expand=1` gives both."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from rushes.api.answers import reply
from rushes.api.auth import authenticate, credential
from rushes.api.query import flag
from rushes.api.services import Services, services_of
from rushes.api.waiting import waiting_for
from rushes.catalog.describe import model_object
from rushes.domain.model_card import ModelCard
from rushes.engines.routing import Served


async def ids(request: Request) -> Response:
    """GET models under the key prefix."""
    services = services_of(request)
    await authenticate(request)
    cards = _chosen(request, services)
    answer: dict[str, Any] = {"model_ids": [card.id for card in cards]}
    if flag(request, "expand"):
        answer["models"] = await _objects(request, services, cards)
    return reply(answer)


async def objects(request: Request) -> Response:
    """GET models under the session prefix; readable without a credential where the operator allows it."""
    services = services_of(request)
    if not services.settings.open_model_list or credential(request, services) is not None:
        await authenticate(request)
    cards = _chosen(request, services)
    answer: dict[str, Any] = {"models": await _objects(request, services, cards)}
    if flag(request, "expand"):
        answer["model_ids"] = [card.id for card in cards]
    return reply(answer)


async def detail(request: Request) -> Response:
    """GET models/{id}; the id may hold slashes and spaces."""
    services = services_of(request)
    if not (services.settings.open_model_list and request.scope.get("rushes_session_prefix")):
        await authenticate(request)
    card = services.submit.card(request.path_params["model_id"])
    return reply((await _objects(request, services, [card]))[0])


def _chosen(request: Request, services: Services) -> list[ModelCard]:
    """The cards a query narrows the list to."""
    query = request.query_params
    return services.catalog.search(
        task=query.get("task") or None, family=query.get("family") or None, text=query.get("q") or None
    )


async def _objects(request: Request, services: Services, cards: list[ModelCard]) -> list[dict[str, Any]]:
    await services.forecast.refresh()
    load = await services.live.load() if flag(request, "live") else None
    return [await _object(services, card, await services.submit.served(card), load) for card in cards]


async def _object(
    services: Services, card: ModelCard, served: Served, load: dict[str, tuple[int, int]] | None
) -> dict[str, Any]:
    slots = services.forecast.slots(served.lane)
    missing = await waiting_for(services, served.lane)
    shown = model_object(card, engine=served.engine.name, available=not missing, accessible=True, qworkers=slots)
    shown["waiting_for"] = missing
    if load is not None:
        queued, running = load.get(card.id, (0, 0))
        median = services.forecast.median(card.id)
        shown["live"] = {
            "queued": queued,
            "running": running,
            "median_seconds": None if median is None else round(median, 1),
            "loaded_on": services.forecast.hosts(served.lane),
        }
    return shown
