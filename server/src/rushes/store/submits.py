"""Submits inside one transaction: one request or many, with or without idempotency keys."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from uuid import UUID

import orjson

from rushes.moments import moment
from rushes.store.database import Connection, collect, load_queries
from rushes.store.records import NewRequest, Request

_sql = load_queries("requests")
_COLUMNS = tuple(field.name for field in fields(NewRequest))

AnswerOf = Callable[[Request], str]


class RefusedSubmit(Exception):
    """A limit stood in the way: `code` is insufficient_credits or too_many_queued."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class Replay(Exception):
    """The idempotency key was used before, for the same body: here is the first answer."""

    def __init__(self, answer: str) -> None:
        super().__init__("replay")
        self.answer = answer


class KeyReused(Exception):
    """The idempotency key was used before, for another body."""


@dataclass(frozen=True, slots=True)
class Once:
    """An idempotency key, the fingerprint of the body it came with, and what will be kept as the first answer."""

    key: str
    body_hash: bytes
    answer: AnswerOf


@dataclass(frozen=True, slots=True)
class Entry:
    """One request to admit."""

    new: NewRequest
    once: Once | None = None


async def submit_together(connection: Connection, entries: Sequence[Entry]) -> dict[UUID, Request]:
    """Admit what can be admitted of `entries`, in their order; the requests that now exist, by id.

    Nothing was done for those that do not come back: their idempotency key was used before, or a limit stood in the
    way of all the requests of their organisation together. Tried alone, each gets an answer of its own.
    """
    free = await _take_keys(connection, [entry for entry in entries if entry.once])
    able = [entry for entry in entries if entry.once is None or entry.new.request_id in free]
    if not able:
        return {}
    rows = [
        {"place": place, **{name: getattr(entry.new, name) for name in _COLUMNS}} for place, entry in enumerate(able)
    ]
    text = orjson.dumps(rows, default=str).decode()  # str: ids that came from asyncpg are of a class of its own
    made = {row["request_id"]: Request.of(row) for row in await collect(_sql.submit(connection, requests=text))}
    await _keep_answers(connection, able, made)
    moment("submit written")
    return made


async def why_refused(connection: Connection, news: Sequence[NewRequest]) -> RefusedSubmit:
    """What stood in the way of requests of one organisation and key, all together."""
    new, count = news[0], len(news)
    cost = sum(each.quote_micro for each in news)
    row = await _sql.why_refused(connection, org_id=new.org_id, key_id=new.key_id, quote_micro=cost)
    if row and row["balance_micro"] is not None and row["balance_micro"] - row["held_micro"] < cost:
        left = (row["balance_micro"] - row["held_micro"]) / 1e6
        what = "This request costs" if count == 1 else f"These {count} requests cost"
        return RefusedSubmit(
            "insufficient_credits", f"Insufficient credits. {what} ${cost / 1e6:.3f} and ${left:.3f} is free"
        )
    if row and row["key_is_spent"]:
        return RefusedSubmit("insufficient_credits", "Insufficient credits. This key has reached its spending limit")
    return RefusedSubmit("too_many_queued", f"Too many queued requests, the limit is {new.max_queued}")


async def why_not(connection: Connection, entry: Entry) -> Replay | KeyReused | RefusedSubmit:
    """Why an entry that was tried alone, in this transaction, was not admitted."""
    new, once = entry.new, entry.once
    if once is not None:
        row = await _sql.remembered(connection, org_id=new.org_id, key=once.key)
        if row is not None:
            return Replay(row["answer"]) if bytes(row["body_hash"]) == once.body_hash else KeyReused()
    return await why_refused(connection, [new])


async def _take_keys(connection: Connection, entries: Sequence[Entry]) -> set[UUID]:
    """The ids of the entries whose idempotency key was free and is theirs now."""
    keyed = [(entry.new, entry.once) for entry in entries if entry.once]
    if not keyed:
        return set()
    rows = await collect(
        _sql.remember_submits(
            connection,
            org_ids=[new.org_id for new, _ in keyed],
            keys=[once.key for _, once in keyed],
            body_hashes=[once.body_hash for _, once in keyed],
            request_ids=[new.request_id for new, _ in keyed],
        )
    )
    return {row["request_id"] for row in rows}


async def _keep_answers(connection: Connection, entries: Sequence[Entry], made: dict[UUID, Request]) -> None:
    """Keep the first answer of every key that made a request; free the others again."""
    org_ids: list[UUID] = []
    keys: list[str] = []
    answers: list[str] = []
    refused: list[tuple[UUID, str]] = []
    for entry in entries:
        if entry.once is None:
            continue
        request = made.get(entry.new.request_id)
        if request is None:
            refused.append((entry.new.org_id, entry.once.key))
        else:
            org_ids.append(entry.new.org_id)
            keys.append(entry.once.key)
            answers.append(entry.once.answer(request))
    if answers:
        await _sql.remember_answers(connection, org_ids=org_ids, keys=keys, answers=answers)
    if refused:
        await _sql.give_keys_back(connection, org_ids=[org for org, _ in refused], keys=[key for _, key in refused])
