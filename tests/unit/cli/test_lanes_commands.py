"""rushes lanes, and what rushes orgs says of lanes: an operator at a terminal, on a real database."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from rushes.cli import app
from rushes.cli.failure import CommandFailed
from rushes.store.accounts import Accounts
from rushes.store.database import Database
from rushes.store.operate import Operate
from rushes.store.requests import Requests
from rushes.store.workers import Workers
from support.queueing import LANE, make_request
from typer.testing import CliRunner

Run = Callable[..., Any]


@pytest.fixture
def run(database_url: str, tmp_path: Path) -> Run:
    """Run a command on a platform with an organisation `studio` that has two requests waiting; what it prints."""
    facts = {"address": "http://127.0.0.1:1", "database_url": database_url}
    (tmp_path / "platform.json").write_text(json.dumps(facts))

    async def fill(database: Database) -> None:
        org_id = await Accounts(database).add_organisation("studio", operator=True)
        await Workers(database).enrol(uuid4(), host="h", pid=1, version="1", lanes=[LANE, "heavy/one"], slots=3)
        for _ in range(2):
            await Requests(database, keep_seconds=60).submit(make_request(org_id))

    with_store(database_url, fill)

    def run(*words: str, as_json: bool = True) -> Any:
        command = [*words, "--data", str(tmp_path), *(["--json"] if as_json else [])]
        done = CliRunner().invoke(app, command, env={"COLUMNS": "160"})
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == 0, done.output
        return json.loads(done.output) if as_json else done.output

    return run


def with_store(database_url: str, work: Callable[[Database], Awaitable[Any]]) -> Any:
    async def working() -> Any:
        database = Database(database_url, size=2)
        await database.start()
        try:
            return await work(database)
        finally:
            await database.stop()

    return asyncio.run(working())


def test_lanes_are_listed_with_their_queues_and_who_serves_them(run: Run) -> None:
    shown = run("lanes")["lanes"]
    assert [(lane["lane"], lane["state"], lane["queued"], lane["running"], lane["slots"]) for lane in shown] == [
        (LANE, "open", 2, 0, 3),
        ("heavy/one", "open", 0, 0, 3),
    ]


def test_a_lane_is_held_with_a_reason_and_resumed(run: Run, database_url: str) -> None:
    assert run("lanes", "hold", LANE, "--reason", "new [driver]") == {"lane": LANE, "state": "held"}
    (held, _) = run("lanes")["lanes"]
    assert (held["state"], held["cause"], held["said"], held["queued"]) == ("held", "operator", "new [driver]", 2)
    table = run("lanes", as_json=False)
    assert "operator: new [driver]" in table and "UTC" in table
    assert run("lanes", "resume", LANE, as_json=False) == f"{LANE} is open\n"
    events = with_store(database_url, lambda database: Operate(database).events(limit=2))
    assert [(row["kind"], row["actor"]) for row in events] == [
        ("lane.resumed", "command line"),
        ("lane.held", "command line"),
    ]


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (("lanes", "hold", "nowhere"), "There is no lane 'nowhere'"),
        (("lanes", "resume", "nowhere"), "There is no lane 'nowhere'"),
        (("lanes", "hold", LANE, "--reason", "two\nlines"), "--reason must be a line"),
        (("orgs", "set-weight", "studio", "0"), "The weight must be a number from 0.01 to 100"),
        (("orgs", "set-weight", "studio", "nan"), "The weight must be a number"),
        (("orgs", "set-weight", "studio", "much"), "The weight must be a number"),
        (("orgs", "set-lane-limit", "studio", LANE, "some"), "must be a whole number, or none"),
        (("orgs", "set-operator", "studio", "perhaps"), "Say yes or no"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(run: Run, words: tuple[str, ...], wrong: str) -> None:
    with pytest.raises(CommandFailed, match=wrong):
        run(*words)


def test_weight_and_lane_limits_are_set_and_shown(run: Run) -> None:
    assert run("orgs", "set-weight", "studio", "2.5")["weight"] == 2.5
    assert run("orgs", "set-lane-limit", "studio", LANE, "4")["max_running"] == 4
    (org,) = run("orgs", "list")["organisations"]
    assert (org["weight"], org["lane_limits"], org["operator"]) == (2.5, {LANE: 4}, True)
    assert run("orgs", "set-lane-limit", "studio", LANE, "none")["max_running"] is None
    assert run("orgs", "list")["organisations"][0]["lane_limits"] == {}


def test_only_the_operator_s_organisation_gets_keys_that_operate(run: Run) -> None:
    run("orgs", "create", "customer")
    with pytest.raises(CommandFailed, match="customer does not run this platform"):
        run("keys", "create", "--name", "ops", "--org", "customer", "--scope", "operate")
    assert run("keys", "create", "--name", "ops", "--org", "studio", "--scope", "operate")["key"]
    assert run("orgs", "set-operator", "customer", "yes")["operator"] is True
    assert run("keys", "create", "--name", "ops", "--org", "customer", "--scope", "operate")["key"]
