"""What a qworker claims from: what is loaded comes first, what it cannot serve not at all."""

import os
from typing import Any, cast

import pytest
from rushes.store.records import Request
from rushes.worker.memory import resident_bytes
from rushes.worker.offer import Offer, matched
from rushes.worker.slot import Slot

from .conftest import linux_only


class FakeSlot:
    """A slot that says what it holds."""

    def __init__(self, *models: str) -> None:
        self._models = models

    def loaded(self) -> set[tuple[str, str]]:
        return {("heavy", model) for model in self._models}


def slots(*loaded: str) -> list[Slot]:
    return [cast(Slot, FakeSlot(model)) for model in loaded]


def claimed(model: str, lane: str | None = None) -> Request:
    class Claimed:
        pass

    one: Any = Claimed()
    one.model, one.lane = model, lane or f"heavy/{model}"
    return one


def test_ready_is_what_has_no_weights_and_what_is_loaded() -> None:
    offer = Offer(["animatic", "heavy/one", "heavy/two"])
    assert offer.ready(slots("one", "other")) == ["animatic", "heavy/one"]


def test_a_refused_model_takes_its_own_lane_with_it_but_not_a_shared_one() -> None:
    offer = Offer(["animatic", "heavy/one"])
    offer.refuse("heavy/one", "one", "no weights")
    offer.refuse("animatic", "kling", "x" * 1000)
    assert offer.lanes == ["animatic"]
    assert offer.refused == {"one": "no weights", "kling": "x" * 300}


def test_a_request_goes_to_the_slot_that_has_its_model_loaded() -> None:
    cold, one, two = slots("none", "one", "two")
    requests = [claimed("two"), claimed("new"), claimed("one")]
    pairs = matched([cold, one, two], requests)
    assert {(slot, request.model) for slot, request in pairs} == {(two, "two"), (one, "one"), (cold, "new")}


def test_more_slots_than_requests_is_no_fault() -> None:
    one, two = slots("one", "two")
    (request,) = [claimed("one")]
    assert matched([two, one], [request]) == [(one, request)]


@linux_only
def test_memory_is_that_of_all_the_processes_that_live() -> None:
    own = resident_bytes([os.getpid()])
    assert own is not None and own > 10_000_000
    assert resident_bytes([os.getpid(), 2**22 + 1]) == pytest.approx(own, rel=0.2)
    assert resident_bytes([2**22 + 1]) is None
