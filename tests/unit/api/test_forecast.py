"""When a request will be done: history by model, size and length, the line ahead, the slots that serve it."""

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from rushes.api.forecast import REFRESH_SECONDS, Forecast
from rushes.store.records import History


@dataclass
class Store:
    """The few reads a forecast does, answered from memory."""

    histories_now: dict[str, History] = field(default_factory=dict[str, History])
    reads: int = 0

    async def histories(self, models: list[str]) -> dict[str, History]:
        self.reads += 1
        return {model: history for model, history in self.histories_now.items() if model in models}

    async def alive(self) -> list[dict[str, Any]]:
        return [{"lanes": ["animatic"], "slots": 2, "host": "one"}, {"lanes": ["animatic"], "slots": 1, "host": "two"}]


@dataclass
class Asked:
    """What a forecast reads of a request."""

    model: str = "wan"
    lane: str = "animatic"
    plan: dict[str, Any] = field(default_factory=lambda: {"width": 1000, "height": 1000, "seconds": 5.0})
    final: bool = False
    started_at: Any = None
    request_id: Any = field(default_factory=uuid4)


def forecast(store: Store, now: list[float]) -> Forecast:
    parts: Any = store
    return Forecast(parts, parts, parts, ["wan", "kling"], clock=lambda: now[0])


@pytest.fixture
def store() -> Store:
    return Store({"wan": History(10.0, 2.0), "kling": History(8.0, None)})


async def test_a_larger_or_longer_video_takes_longer(store: Store) -> None:
    made = forecast(store, [0.0])
    small, large = Asked(), Asked(plan={"width": 2000, "height": 1000, "seconds": 10.0})
    assert await made.eta(small, None, 0.0) == 10
    assert await made.eta(large, None, 0.0) == 40


async def test_without_a_size_the_model_s_own_median_counts(store: Store) -> None:
    made = forecast(store, [0.0])
    assert await made.eta(Asked(plan={"width": None, "height": None, "seconds": 5.0}), None, 0.0) == 10
    assert await made.eta(Asked(model="kling"), None, 0.0) == 8


async def test_the_line_ahead_is_shared_by_the_slots(store: Store) -> None:
    made = forecast(store, [0.0])
    assert await made.eta(Asked(), 2, 0.0) == 10
    assert await made.eta(Asked(), 3, 0.0) == 20
    assert made.slots("animatic") == 3
    assert made.hosts("animatic") == ["one", "two"]


async def test_what_has_run_already_is_taken_off_and_never_falls_below_a_second(store: Store) -> None:
    made = forecast(store, [0.0])
    assert await made.eta(Asked(started_at=object()), None, 4.0) == 6
    assert await made.eta(Asked(started_at=object()), None, 400.0) == 1


async def test_there_is_no_guess_without_history_or_after_the_end(store: Store) -> None:
    made = forecast(store, [0.0])
    assert await made.eta(Asked(model="veo"), 0, 0.0) is None
    assert await made.eta(Asked(final=True), None, 0.0) is None


async def test_history_is_read_again_after_a_while_only(store: Store) -> None:
    now = [0.0]
    made = forecast(store, now)
    await made.refresh()
    await made.refresh()
    assert store.reads == 1
    now[0] = REFRESH_SECONDS
    await made.refresh()
    assert store.reads == 2


async def test_a_spread_is_told_for_any_size_once_there_are_enough_films(store: Store) -> None:
    store.histories_now["wan"] = History(10.0, 2.0, 0.75, 1.42, 212)
    made = forecast(store, [0.0])
    await made.refresh()
    assert made.spread("wan", 40.0) == {"low_seconds": 30, "high_seconds": 57, "runs": 212}
    assert made.spread("wan", None) is None
    assert made.spread("kling", 8.0) is None
