"""When a call is tried again."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from gmicloud._internal import _requests as requests
from gmicloud._internal._answers import retry_after
from gmicloud._internal._retry import LONGEST, Retries
from gmicloud._internal._step import Answer, Call
from gmicloud.errors import APIConnectionError, GmiError, RateLimitError, ServerError, TLSError
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.sdk.conftest import Driver

BUSY = ServerError("busy", status_code=503, retryable=True)


@given(tried=st.integers(0, 3), seed=st.integers())
def test_pauses_grow_with_jitter_and_stay_below_the_longest(tried: int, seed: int) -> None:
    delay = Retries(4, random.Random(seed)).delay(BUSY, tried)
    assert delay is not None
    assert 0.25 * 2**tried <= delay <= min(LONGEST, 0.5 * 2**tried)


@given(asked=st.floats(0, 120), tried=st.integers(0, 3))
def test_what_the_server_asks_for_is_never_undercut(asked: float, tried: int) -> None:
    delay = Retries(4).delay(RateLimitError("no", retryable=True, retry_after=asked), tried)
    assert delay is not None
    assert delay >= asked


@pytest.mark.parametrize(
    "error",
    [
        GmiError("permanent"),
        RateLimitError("come back tomorrow", retryable=True, retry_after=86400),
        TLSError("untrusted"),
    ],
)
def test_what_cannot_help_soon_is_raised(error: GmiError) -> None:
    assert Retries(4).delay(error, 0) is None


def test_the_number_of_retries_is_limited() -> None:
    assert Retries(2).delay(BUSY, 1) is not None
    assert Retries(2).delay(BUSY, 2) is None
    assert Retries(0).delay(BUSY, 0) is None


def test_retry_after_is_read_as_seconds_or_as_a_date() -> None:
    assert retry_after({"retry-after": "7"}) == 7
    assert retry_after({"retry-after": "0.5"}) == 0.5
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert retry_after({"retry-after": soon}) == pytest.approx(60, abs=3)
    assert retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0
    for nonsense in ("", "soon", "-5", "１２", "1.2.3"):
        assert retry_after({"retry-after": nonsense}) is None


def submit(driver: Driver) -> Call:
    return requests.submit(driver.core.routes, "m", {"prompt": "x"}, key="k")


def lost(driver: Driver, *, ours: bool, sent: bool, times: int = 1) -> list[str]:
    """Submit while the connection fails that many times; the calls that were made."""

    def answer(call: Call) -> Answer:
        if call.method == "POST" and len([one for one in driver.calls if one.method == "POST"]) <= times:
            raise APIConnectionError("lost", sent=sent)
        return Answer(call, 200, {"rushes-version": "1"} if ours else {}, b"{}")

    driver.run(driver.core.ask(submit(driver)), answer)
    return [call.method for call in driver.calls]


def test_a_submit_whose_answer_was_lost_is_repeated_once_the_server_is_known_to_keep_keys(driver: Driver) -> None:
    assert lost(driver, ours=True, sent=True) == ["POST", "GET", "POST"]


def test_a_submit_that_never_left_is_repeated_anywhere(driver: Driver) -> None:
    assert lost(driver, ours=False, sent=False, times=3) == ["POST"] * 4


def test_a_submit_whose_answer_was_lost_is_not_repeated_on_a_server_without_keys(driver: Driver) -> None:
    with pytest.raises(APIConnectionError, match="not known whether the server acted"):
        lost(driver, ours=False, sent=True)
    assert [call.method for call in driver.calls] == ["POST", "GET"]


def test_every_try_carries_the_same_key_and_body(driver: Driver) -> None:
    lost(driver, ours=True, sent=True)
    first, _, second = driver.calls
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]
    assert first.json == second.json
