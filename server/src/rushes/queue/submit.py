"""Submit: from a payload to a durable request. Nothing is stored or charged before every check has passed."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

from rushes.artifacts.space import Space
from rushes.catalog.loader import Catalog, UnknownModel
from rushes.domain.errors import ApiError, InvalidPayload, ParameterFault
from rushes.domain.faults import OrderedFault, ordered_fault
from rushes.domain.model_card import ModelCard
from rushes.domain.payload import check_payload
from rushes.domain.pricing import quote
from rushes.engines.engine import InvalidInput, Plan
from rushes.engines.routing import Routing, Served
from rushes.queue.live_lanes import LiveLanes
from rushes.queue.sources import Sources
from rushes.store.records import NewRequest, Request
from rushes.store.submit_batch import SubmitBatch
from rushes.store.submits import AnswerOf, KeyReused, RefusedSubmit
from rushes.telemetry import logger

log = logger("submit")

MAX_SEED = 2_147_483_647


@dataclass(frozen=True, slots=True)
class Options:
    """The optional keys beside model and payload, checked."""

    webhook_url: str | None = None
    webhook_events: list[str] = field(default_factory=list[str])
    metadata: Mapping[str, Any] | None = None
    priority: int = 0
    expires_after: int | None = None


@dataclass(frozen=True, slots=True)
class Submitter:
    """On whose behalf."""

    org_id: UUID
    key_id: str | None
    user_id: UUID | None
    max_queued: int | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A payload that has passed every check: what a dry run answers and a submit stores."""

    card: ModelCard
    params: Mapping[str, Any]
    payload: Mapping[str, Any]
    """The echo: as sent, media values replaced by references."""
    media: list[dict[str, Any]]
    plan: Plan
    quote_micro: int
    warnings: list[str]
    engine: str
    lane: str
    fault: OrderedFault | None


class Submit:
    """The use case behind POST /requests, whichever API generation it came through."""

    def __init__(
        self,
        catalog: Catalog,
        routing: Routing,
        live: LiveLanes,
        admission: SubmitBatch,
        sources: Sources,
        space: Space | None,
        *,
        ordered_faults: bool,
    ) -> None:
        """`space`: the disk of the database and the objects, where this process knows it."""
        self._catalog = catalog
        self._routing = routing
        self._live = live
        self._admission = admission
        self._sources = sources
        self._space = space
        self._ordered_faults = ordered_faults

    def card(self, model: str) -> ModelCard:
        """Raises ApiError 404 with the nearest ids."""
        try:
            return self._catalog.find(model)
        except UnknownModel as error:
            raise error.as_api_error() from error

    async def served(self, card: ModelCard) -> Served:
        """What renders a card now."""
        return self._routing.of(card, await self._live.lanes() if self._routing.hears(card) else ())

    async def prepare(
        self,
        submitter: Submitter,
        model: str,
        payload: Mapping[str, Any],
        *,
        dry_run: bool = False,
        hops: int = 0,
    ) -> Prepared:
        """Check everything. Raises ApiError 404 for the model, InvalidPayload with all faults, an ordered HTTP error,
        ApiError 503 when the disk has no room for more.

        A dry run stores no data URI and asks for no room. `hops`: how many servers of ours have passed the request on.
        """
        card = self.card(model)
        fault, payload = ordered_fault(payload) if self._ordered_faults else (None, payload)
        if fault is not None and fault.http is not None:
            raise ApiError(fault.http, f"{fault.http_text}, ordered by rushes_fault")
        checked = check_payload(card, payload)
        if not dry_run and self._space is not None and (shortage := self._space.shortage()) is not None:
            log.warning("no_room", shortage=shortage)
            raise ApiError("storage_unavailable", f"Nothing is accepted for now, {shortage}")
        resolved = await self._sources.resolve(submitter.org_id, card, payload, checked, dry_run=dry_run)
        served = await self.served(card)
        try:
            plan = served.engine.normalise(card, resolved.params, secrets.randbelow(MAX_SEED + 1))
        except InvalidInput as error:
            raise InvalidPayload([ParameterFault(error.field or "payload", "unsupported", str(error))]) from error
        return Prepared(
            card=card,
            params=resolved.params,
            payload=resolved.payload,
            media=resolved.media,
            plan=replace(plan, hops=hops),
            quote_micro=quote(card, resolved.params, plan.seconds),
            warnings=[*checked.warnings, *plan.notes],
            engine=served.engine.name,
            lane=served.lane,
            fault=fault,
        )

    async def admit(
        self,
        submitter: Submitter,
        prepared: Prepared,
        options: Options,
        *,
        idempotency: tuple[str, bytes, AnswerOf] | None = None,
    ) -> Request:
        """Store the request; durable on return. Raises ApiError 402, 422 or 429, and Replay."""
        new = new_request(submitter, prepared, options)
        try:
            if idempotency is None:
                return await self._admission.submit(new)
            key, body_hash, answer = idempotency
            return await self._admission.submit_once(new, key, body_hash, answer)
        except RefusedSubmit as error:
            raise ApiError(error.code, error.text) from error
        except KeyReused as error:
            raise ApiError("idempotency_mismatch") from error


def new_request(submitter: Submitter, prepared: Prepared, options: Options, group_id: UUID | None = None) -> NewRequest:
    """What a submit stores, with an id drawn for it."""
    return NewRequest(
        request_id=uuid4(),
        org_id=submitter.org_id,
        user_id=submitter.user_id,
        key_id=submitter.key_id,
        model=prepared.card.id,
        engine=prepared.engine,
        lane=prepared.lane,
        payload=prepared.payload,
        params=prepared.params,
        plan=prepared.plan.as_json(),
        quote_micro=prepared.quote_micro,
        media=prepared.media,
        fault=prepared.fault.as_json() if prepared.fault else None,
        warnings=prepared.warnings,
        metadata=options.metadata,
        webhook_url=options.webhook_url,
        webhook_events=options.webhook_events,
        expires_after=options.expires_after,
        priority=options.priority,
        cost=prepared.plan.seconds,
        max_queued=submitter.max_queued,
        group_id=group_id,
    )
