"""Any order of calls, by honest and by superseded workers: the store always moves along the legal table.

A model in Python follows every call; the store must agree with it after each one.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from hypothesis.strategies import integers, sampled_from
from rushes.domain.request import FINAL, Status, is_legal
from rushes.store.database import Database
from rushes.store.requests import Requests
from support.invariants import broken_invariants
from support.queueing import LEASE, failure, make_org, make_request, success

MAX_TRIES = 3
Run = Callable[[Coroutine[Any, Any, Any]], Any]


@dataclass
class Expected:
    """What the model believes of one request."""

    request_id: UUID
    status: Status = Status.QUEUED
    attempt: int = 0
    tries: int = 0
    seen: list[Status] = field(default_factory=lambda: [Status.QUEUED])

    def move(self, status: Status) -> None:
        assert is_legal(self.status, status)
        self.status = status
        self.seen.append(status)

    @property
    def running(self) -> bool:
        return self.status in (Status.DISPATCHED, Status.PROCESSING)


class Life(RuleBasedStateMachine):
    """Rules are calls; `nth` picks a request, `age` an attempt of it: 0 the newest, 1 the one before."""

    database: Database
    run: Run

    def __init__(self) -> None:
        super().__init__()
        self.requests = Requests(self.database, keep_seconds=60)
        self.org_id: UUID = self.run(make_org(self.database))
        self.known: list[Expected] = []

    def pick(self, nth: int) -> Expected | None:
        return self.known[nth % len(self.known)] if self.known else None

    @rule()
    def submit(self) -> None:
        request = self.run(self.requests.submit(make_request(self.org_id, lane=str(self.org_id))))
        self.known.append(Expected(request.request_id))

    @rule(slots=integers(1, 3))
    def claim(self, slots: int) -> None:
        waiting = [one for one in self.known if one.status is Status.QUEUED]
        claimed = self.run(self.requests.claim(uuid4(), [str(self.org_id)], slots, LEASE))
        assert len(claimed) == min(slots, len(waiting))
        for request in claimed:
            one = next(one for one in waiting if one.request_id == request.request_id)
            one.move(Status.DISPATCHED)
            one.attempt += 1
            one.tries += 1
            assert (request.attempt, request.tries) == (one.attempt, one.tries)

    @rule(nth=integers(0, 9), age=integers(0, 1))
    def begin(self, nth: int, age: int) -> None:
        if one := self.pick(nth):
            allowed = age == 0 and one.running
            assert self.run(self.requests.begin(one.request_id, one.attempt - age, "loading")) == allowed
            if allowed and one.status is Status.DISPATCHED:
                one.move(Status.PROCESSING)

    @rule(nth=integers(0, 9), age=integers(0, 1), good=sampled_from([True, False]))
    def finish(self, nth: int, age: int, good: bool) -> None:
        one = self.pick(nth)
        if one is None or (good and one.status is Status.DISPATCHED):
            return  # a worker begins before it succeeds
        status = Status.SUCCESS if good else Status.FAILED
        allowed = age == 0 and one.attempt > 0 and (one.running or one.status is status)
        ending = success() if good else failure()
        assert self.run(self.requests.finish(one.request_id, one.attempt - age, ending)) == allowed
        if allowed and one.running:
            one.move(status)

    @rule(nth=integers(0, 9), age=integers(0, 1), hands_back=sampled_from([True, False]))
    def give_back(self, nth: int, age: int, hands_back: bool) -> None:
        if one := self.pick(nth):
            attempt, allowed = one.attempt - age, age == 0 and one.running
            if hands_back:
                assert self.run(self.requests.hand_back(one.request_id, attempt)) == allowed
            elif one.tries < MAX_TRIES:
                assert self.run(self.requests.retry(one.request_id, attempt, timedelta(0), "It broke")) == allowed
            else:
                return
            if allowed:
                one.move(Status.QUEUED)
                one.tries -= hands_back

    @rule(nth=integers(0, 9))
    def cancel(self, nth: int) -> None:
        if one := self.pick(nth):
            request = self.run(self.requests.cancel(self.org_id, one.request_id))
            if one.status not in FINAL:
                one.move(Status.CANCELLED)
            assert request.status is one.status

    @rule()
    def lose_all_workers(self) -> None:
        self.run(self.requests.expire_all_leases())
        self.run(self.requests.rescue(MAX_TRIES))
        for one in self.known:
            if one.running:
                one.move(Status.FAILED if one.tries >= MAX_TRIES else Status.QUEUED)

    @invariant()
    def the_store_agrees(self) -> None:
        for one in self.known:
            request = self.run(self.requests.get(self.org_id, one.request_id))
            assert (request.status, request.attempt, request.tries) == (one.status, one.attempt, one.tries)

    def teardown(self) -> None:
        for one in self.known:
            events = self.run(self.requests.events(one.request_id))
            assert [row["status"] for row in events] == one.seen
        assert self.run(broken_invariants(self.database.dsn)) == {}


@pytest.fixture
def run() -> Iterator[Run]:
    with asyncio.Runner() as runner:
        yield runner.run


def test_no_order_of_calls_leaves_the_legal_table(database_url: str, run: Run) -> None:
    database = Database(database_url, size=2)
    run(database.start())
    machine = type("Machine", (Life,), {"database": database, "run": staticmethod(run)})
    quick = settings(
        max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    try:
        run_state_machine_as_test(machine, settings=quick)
    finally:
        run(database.stop())
