"""What a poll of a request that has ended is answered: kept bytes, true after every change."""

from pathlib import Path
from typing import Any, cast

import pytest
from rushes.api import record
from rushes.api.final_answers import MAX_BYTES, MAX_KEPT, FinalAnswers
from rushes.store.records import Request
from support.api import Q, running_api


class Ended:
    """As much of a request as the answers look at."""

    def __init__(self, number: int) -> None:
        self.request_id = number


def ended(number: int) -> Request:
    return cast(Request, Ended(number))


def asked(answers: FinalAnswers, request: Request, until: int, said: str) -> tuple[bytes, bool]:
    """The answer, and whether it was written for this call."""
    written: list[str] = []

    def write() -> dict[str, Any]:
        written.append(said)
        return {"said": said}

    return answers.of(request, until, write), bool(written)


def test_an_answer_is_written_once_for_an_object_and_an_end_of_its_links() -> None:
    answers, one = FinalAnswers(), ended(1)
    assert asked(answers, one, 60, "a") == (b'{"said":"a"}', True)
    assert asked(answers, one, 60, "b") == (b'{"said":"a"}', False)
    assert asked(answers, one, 120, "c") == (b'{"said":"c"}', True)
    assert asked(answers, ended(1), 120, "d") == (b'{"said":"d"}', True)


def test_long_answers_are_not_kept_and_the_number_of_kept_ones_is_bounded() -> None:
    answers, one = FinalAnswers(), ended(1)
    for _ in range(2):
        assert asked(answers, one, 60, "x" * MAX_BYTES)[1]
    for number in range(MAX_KEPT + 1):
        asked(answers, ended(number), 60, "x")
    assert len(answers._kept) <= MAX_KEPT


@pytest.mark.parametrize(("life", "now", "end"), [(86_400, 1000.5, 87_420), (86_400, 1020, 87_480), (50, 1004, 1055)])
def test_links_end_at_a_whole_step_no_sooner_than_promised(
    monkeypatch: pytest.MonkeyPatch, life: int, now: float, end: int
) -> None:
    monkeypatch.setattr(record.time, "time", lambda: now)
    assert record.links_end(life) == end
    assert life < end - now <= life * 1.1


async def test_polls_of_an_ended_request_are_equal_and_see_its_purge(database_url: str, tmp_path: Path) -> None:
    async with running_api(database_url, tmp_path) as api:
        key, other = [await api.key(await api.organisation(name)) for name in ("studio", "other")]
        body = {"model": "Veo3", "payload": {"prompt": "a quiet harbour"}}
        request_id = (await api.call("POST", f"{Q}/requests", key, json=body)).json()["request_id"]
        await api.call("DELETE", f"{Q}/requests/{request_id}", key)
        first, again = [await api.call("GET", f"{Q}/requests/{request_id}", key) for _ in range(2)]
        assert (first.status_code, first.json()["status"], first.content) == (200, "cancelled", again.content)
        particular = (await api.call("GET", f"{Q}/requests/{request_id}?cleaned=1", key)).json()
        assert {name: particular[name] for name in first.json()} == first.json()
        assert (await api.call("GET", f"{Q}/requests/{request_id}", other)).status_code == 404
        await api.call("DELETE", f"{Q}/requests/{request_id}?purge=1", key)
        purged = (await api.call("GET", f"{Q}/requests/{request_id}", key)).json()
        assert purged["payload"] == {}
