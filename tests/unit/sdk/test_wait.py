"""Waiting, driven without a network and without time passing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from gmicloud import WaitTimeout
from gmicloud._internal._step import Answer, Call
from gmicloud.errors import APIConnectionError, AuthenticationError, NotFoundError, ServerError
from gmicloud.wait import OUTAGE, wait

from tests.unit.sdk.conftest import Driver


def answering(*statuses: str, ours: bool = True, headers: dict[str, str] | None = None) -> Callable[[Call], Answer]:
    """A server whose record goes through these statuses and stays at the last."""
    left = list(statuses)

    def answer(call: Call) -> Answer:
        status = left.pop(0) if len(left) > 1 else left[0]
        body = {"request_id": "r", "status": status}
        return Answer(call, 200, ({"rushes-version": "1"} if ours else {}) | (headers or {}), json.dumps(body).encode())

    return answer


def test_our_server_holds_the_answer_in_slices_of_at_most_20_seconds(driver: Driver) -> None:
    record = driver.run(
        wait(driver.core, "r", timeout=None, on_progress=None), answering("queued", "queued", "success")
    )
    assert record.status == "success"
    assert [call.url.rpartition("/")[2] for call in driver.calls] == ["r", "r?wait=20", "r?wait=20"]
    assert [call.patience for call in driver.calls] == [0, 20, 20]
    assert driver.clock.pauses == []


def test_a_watched_request_is_looked_at_every_second(driver: Driver) -> None:
    seen: list[Any] = []
    driver.run(wait(driver.core, "r", timeout=None, on_progress=seen.append), answering("queued", "success"))
    assert [record.status for record in seen] == ["queued", "success"]
    assert driver.calls[-1].url.endswith("?wait=1")


def test_the_last_slice_fits_the_time_that_is_left(driver: Driver) -> None:
    driver.run(wait(driver.core, "r", timeout=7, on_progress=None), answering("queued", "success"))
    assert driver.calls[-1].url.endswith("?wait=7")


def test_other_servers_are_asked_every_5_to_10_seconds_and_never_to_hold(driver: Driver) -> None:
    statuses = ["queued"] * 15 + ["success"]
    driver.run(wait(driver.core, "r", timeout=None, on_progress=None), answering(*statuses, ours=False))
    assert driver.clock.pauses[0] == 5.0
    assert driver.clock.pauses[-1] == 10.0
    assert driver.clock.pauses == sorted(driver.clock.pauses)
    assert not any("wait=" in call.url for call in driver.calls)


def test_other_servers_may_ask_for_longer_pauses(driver: Driver) -> None:
    answer = answering("queued", "success", ours=False, headers={"retry-after": "25"})
    driver.run(wait(driver.core, "r", timeout=None, on_progress=None), answer)
    assert driver.clock.pauses == [25.0]


def test_a_word_nobody_knows_is_not_the_end(driver: Driver) -> None:
    record = driver.run(wait(driver.core, "r", timeout=None, on_progress=None), answering("paused", "success"))
    assert record.status == "success"


def test_the_timeout_is_kept_and_the_last_record_is_there(driver: Driver) -> None:
    with pytest.raises(WaitTimeout, match="r was not finished after 30 s, last seen processing") as caught:
        driver.run(wait(driver.core, "r", timeout=30, on_progress=None), answering("processing", ours=False))
    assert driver.clock.now == 30
    assert (caught.value.request_id, caught.value.record.status) == ("r", "processing")
    assert isinstance(caught.value, TimeoutError)


def failing(driver: Driver, error: Exception, *, until: float, then: str = "success") -> Callable[[Call], Answer]:
    finish = answering(then)

    def answer(call: Call) -> Answer:
        if driver.clock.now < until:
            raise error
        return finish(call)

    return answer


@pytest.mark.parametrize("down", [5.0, OUTAGE - 10])
def test_a_short_outage_is_outlived(driver: Driver, down: float) -> None:
    answer = failing(driver, APIConnectionError("down", sent=False), until=down)
    assert driver.run(wait(driver.core, "r", timeout=None, on_progress=None), answer).status == "success"


def test_a_long_outage_ends_the_wait_and_names_the_request(driver: Driver) -> None:
    answer = failing(driver, ServerError("broken", status_code=500, retryable=True), until=1e9)
    with pytest.raises(ServerError, match="broken") as caught:
        driver.run(wait(driver.core, "r", timeout=None, on_progress=None), answer)
    assert caught.value.request_id == "r"
    assert driver.clock.now <= OUTAGE


def test_a_rate_limit_is_obeyed_for_as_long_as_it_takes(driver: Driver) -> None:
    def answer(call: Call) -> Answer:
        if driver.clock.now < 500:
            return Answer(call, 429, {"retry-after": "30", "rushes-version": "1"}, b'{"error": "slow down"}')
        return answering("success")(call)

    assert driver.run(wait(driver.core, "r", timeout=None, on_progress=None), answer).status == "success"
    assert min(driver.clock.pauses) >= 30


def test_an_outage_does_not_outlast_the_timeout(driver: Driver) -> None:
    answer = failing(driver, APIConnectionError("down", sent=False), until=1e9)
    with pytest.raises(WaitTimeout):
        driver.run(wait(driver.core, "r", timeout=10, on_progress=None), answer)
    assert driver.clock.now == pytest.approx(10)


@pytest.mark.parametrize(("status", "kind"), [(401, AuthenticationError), (404, NotFoundError)])
def test_what_will_not_change_is_raised_at_once(driver: Driver, status: int, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        driver.run(
            wait(driver.core, "r", timeout=None, on_progress=None),
            lambda call: Answer(call, status, {}, b'{"error": "no"}'),
        )
    assert len(driver.calls) == 1
