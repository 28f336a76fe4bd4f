"""kill -9 of parts and of the whole, in the middle of a generation: nothing is lost, nothing is billed twice."""

import signal
from pathlib import Path

import pytest
from support.invariants import check_invariants
from support.platform import QUICK, RunningPlatform, final, running_platform, submitted, until

SLOW = {"prompt": "slow", "seconds": 4, "frames": 48, "progress_steps": 48}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory):
    """One for the tests that leave it alive; what one kills must be back for the next."""
    with running_platform(tmp_path_factory.mktemp("platform") / "data", environment=QUICK) as running:
        yield running


@pytest.fixture(autouse=True)
def invariants(request: pytest.FixtureRequest):
    yield
    if "platform" in request.fixturenames:
        running = request.getfixturevalue("platform")
        check_invariants(running.database_url, running.data / "objects")


def test_a_killed_worker_loses_nothing(platform: RunningPlatform) -> None:
    with platform.client() as client:
        request_id = submitted(client, "rushes-test", SLOW)
        until(client, request_id, progress=30)
        for worker in platform.children("worker"):
            worker.send_signal(signal.SIGKILL)
        record = final(client, request_id)
    assert (record["status"], record["attempt"]) == ("success", 2)


def test_a_killed_engine_child_costs_one_try_and_not_the_worker(platform: RunningPlatform) -> None:
    with platform.client() as client:
        request_id = submitted(client, "rushes-test", SLOW)
        event = until(client, request_id, progress=30)
        worker = client.get(f"/requests/{request_id}").json()["qworker_id"]
        for child in platform.children("rushes.worker.child_main"):
            if child.cmdline()[-1] == "faults":
                child.send_signal(signal.SIGKILL)
        record = final(client, request_id)
    assert event["attempt"] == 1
    assert (record["status"], record["attempt"], record["qworker_id"]) == ("success", 2, worker)


def test_a_killed_platform_continues_where_it_stopped(tmp_path: Path) -> None:
    with running_platform(tmp_path / "data", environment=QUICK) as platform:
        with platform.client() as client:
            running = submitted(client, "rushes-test", SLOW)
            waiting = [submitted(client, "rushes-test", {"frames": 4, "seconds": 0.1}) for _ in range(3)]
            until(client, running, progress=30)
        platform.kill_all()
        platform.start()
        with platform.client() as client:
            records = [final(client, request_id) for request_id in (running, *waiting)]
        assert [record["status"] for record in records] == ["success"] * 4
        assert records[0]["attempt"] == 2
        check_invariants(platform.database_url, platform.data / "objects")


def test_a_clean_stop_hands_back_without_counting_the_try(tmp_path: Path) -> None:
    environment = {**QUICK, "RUSHES_DRAIN_SECONDS": "0.2"}
    with running_platform(tmp_path / "data", environment=environment) as platform:
        with platform.client() as client:
            request_id = submitted(client, "rushes-test", SLOW)
            until(client, request_id, progress=20)
        assert platform.terminate() == 0
        platform.start()
        with platform.client() as client:
            record = final(client, request_id)
            attempts = client.get(f"/requests/{request_id}", params={"attempts": 1}).json()["attempts"]
        assert (record["status"], record["attempt"]) == ("success", 2)
        assert [attempt["result"] for attempt in attempts] == ["handed_back", "success"]
        check_invariants(platform.database_url, platform.data / "objects")


def test_a_request_that_always_kills_its_engine_fails_in_the_end(platform: RunningPlatform) -> None:
    with platform.client() as client:
        request_id = submitted(client, "rushes-test", {"frames": 8, "seconds": 0.2, "crash": True})
        record = final(client, request_id)
        after = final(client, submitted(client, "rushes-test", {"frames": 2, "seconds": 0.1}))
    assert (record["status"], record["error_code"], record["attempt"]) == ("failed", "engine_lost", 3)
    assert record["outcome"]["error"] == record["error"]
    assert record["charge_micro_usd"] == 0
    assert after["status"] == "success"


def test_a_cancel_stops_even_an_engine_that_is_deaf(platform: RunningPlatform) -> None:
    with platform.client() as client:
        request_id = submitted(client, "rushes-test", {"frames": 24, "seconds": 0.5, "hang": True})
        until(client, request_id, progress=20)
        cancelled = client.delete(f"/requests/{request_id}").json()
        after = final(client, submitted(client, "rushes-test", {"frames": 2, "seconds": 0.1}))
    assert (cancelled["status"], cancelled["charge_micro_usd"]) == ("cancelled", 0)
    assert after["status"] == "success"


def test_a_hanging_engine_ends_at_the_deadline(tmp_path: Path) -> None:
    environment = {**QUICK, "RUSHES_ATTEMPT_SECONDS": "1.5"}
    with running_platform(tmp_path / "data", environment=environment) as platform, platform.client() as client:
        record = final(client, submitted(client, "rushes-test", {"frames": 24, "seconds": 0.5, "hang": True}))
        assert (record["status"], record["error_code"]) == ("failed", "timeout")


def test_killed_postgresql_fails_no_running_generation(platform: RunningPlatform) -> None:
    with platform.client() as client:
        request_id = submitted(client, "rushes-test", SLOW)
        until(client, request_id, progress=20)
        for process in platform.children("-D"):
            process.send_signal(signal.SIGKILL)
        record = final_through_outage(client, request_id)
    assert (record["status"], record["attempt"]) == ("success", 1)


def final_through_outage(client, request_id: str):
    """503 while the database is away is the right answer; anything else but 200 is not."""
    while True:
        answer = client.get(f"/requests/{request_id}", params={"wait": 5})
        assert answer.status_code in (200, 503), answer.text
        if answer.status_code == 200 and answer.json()["status"] in ("success", "failed", "cancelled"):
            return answer.json()
