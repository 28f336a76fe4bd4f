"""Writes are repeated through an outage, for so long and no longer."""

import threading

import pytest
from rushes.artifacts.objects import StorageUnavailable
from rushes.engines.engine import Cancelled
from rushes.store.database import DatabaseUnavailable
from rushes.worker.patience import patiently


class Flaky:
    """Fails so often with these errors, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.tries = 0

    async def write(self) -> str:
        self.tries += 1
        if self.errors:
            raise self.errors.pop(0)
        return "written"


async def test_an_outage_that_ends_is_not_noticed() -> None:
    flaky = Flaky(DatabaseUnavailable("gone"), StorageUnavailable("full"))
    assert await patiently(flaky.write, 30) == "written"
    assert flaky.tries == 3


async def test_the_last_error_comes_out_when_patience_ends() -> None:
    flaky = Flaky(*(DatabaseUnavailable(f"error {n}") for n in range(99)))
    with pytest.raises(DatabaseUnavailable, match=r"error [1-9]"):
        await patiently(flaky.write, 0.25)


async def test_without_patience_there_is_one_try() -> None:
    flaky = Flaky(DatabaseUnavailable("gone"))
    with pytest.raises(DatabaseUnavailable):
        await patiently(flaky.write, 0)
    assert flaky.tries == 1


async def test_another_error_is_not_for_patience() -> None:
    flaky = Flaky(ZeroDivisionError("a bug"))
    with pytest.raises(ZeroDivisionError):
        await patiently(flaky.write, 30)
    assert flaky.tries == 1


async def test_who_is_stopped_waits_no_longer() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        await patiently(Flaky(StorageUnavailable("full")).write, 30, stop)


async def test_a_write_that_works_is_made_although_we_were_stopped() -> None:
    stop = threading.Event()
    stop.set()
    assert await patiently(Flaky().write, 30, stop) == "written"
