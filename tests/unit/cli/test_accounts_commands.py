"""rushes orgs, users and keys: what an operator types, on a real database."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from argon2 import PasswordHasher
from rushes.accounts.sign_in_link import digest
from rushes.cli import app
from rushes.cli.failure import CommandFailed
from rushes.store.accounts import Accounts
from rushes.store.database import Database
from rushes.store.page_sessions import PageSessions
from rushes.store.users import Users
from typer.testing import CliRunner

PASSWORD = "a long enough password"
Run = Callable[..., Any]


@pytest.fixture
def data(database_url: str, tmp_path: Path) -> Path:
    """The data folder of a platform that runs on the test's database."""
    facts = {"address": "http://127.0.0.1:1", "database_url": database_url}
    (tmp_path / "platform.json").write_text(json.dumps(facts))
    return tmp_path


@pytest.fixture
def run(data: Path) -> Run:
    """Run a command and give its JSON. Raises CommandFailed as the command does."""

    def run(*words: str, typed: str | bytes = "", as_json: bool = True) -> Any:
        command = [*words, "--data", str(data), *(["--json"] if as_json else [])]
        done = CliRunner().invoke(app, command, input=typed)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == 0, done.output
        return json.loads(done.output) if as_json else done.output

    return run


def create(run: Run, email: str, *more: str) -> Any:
    return run("users", "create", "--email", email, "--password-stdin", *more, typed=PASSWORD + "\n")


def test_an_operator_makes_organisations_people_and_keys(run: Run) -> None:
    org = run("orgs", "create", "studio", "--balance", "12.50")
    made = create(run, "ann@x.test", "--org", "studio", "--role", "member")
    assert (made["organisation"], made["role"]) == ("studio", "member")
    run("orgs", "create", "other")
    run("users", "join", "--email", "ANN@x.test", "--org", "other", "--role", "viewer")
    (listed,) = run("users", "list")["users"]
    assert [(place["organisation"], place["role"]) for place in listed["memberships"]] == [
        ("studio", "member"),
        ("other", "viewer"),
    ]
    key = run(
        "keys", "create", "--name", "ci", "--org", org["id"], "--expires-days", "7", "--spend-limit", "0.3",
        "--scope", "ie_model", "--scope", "ce_resource",
    )  # fmt: skip
    (row,) = run("keys", "list")["keys"]
    assert (row["id"], row["organisation"], row["scopes"]) == (key["id"], "studio", ["ie_model", "ce_resource"])
    assert row["expires_at"] is not None
    shown = {each["name"]: each["balance_micro_usd"] for each in run("orgs", "list")["organisations"]}
    assert shown == {"studio": 12_500_000, "other": None}


def test_the_only_organisation_need_not_be_named(run: Run) -> None:
    run("orgs", "create", "studio")
    assert create(run, "ann@x.test")["organisation"] == "studio"
    run("orgs", "create", "other")
    with pytest.raises(CommandFailed, match=r"Which organisation.*studio, other"):
        create(run, "bob@x.test")


def test_limits_are_changed_one_by_one_and_taken_away_by_none(run: Run) -> None:
    run("orgs", "create", "studio")
    assert run("orgs", "set-limits", "studio", "--max-queued", "5", "--max-running", "2")["limits"] == {
        "max_queued": 5,
        "max_running": 2,
    }
    run("orgs", "set-limits", "studio", "--max-queued", "none", "--submits-per-minute", "60")
    (org,) = run("orgs", "list")["organisations"]
    assert org["limits"] == {"max_running": 2, "submits_per_minute": 60}


def test_a_balance_is_set_to_the_micro_dollar_or_to_unlimited(run: Run) -> None:
    run("orgs", "create", "studio")
    assert run("orgs", "set-balance", "studio", "0.000001")["balance_micro_usd"] == 1
    assert run("orgs", "set-balance", "studio", "unlimited")["balance_micro_usd"] is None


def test_a_second_factor_is_switched_on_with_a_new_secret_each_time_and_off(run: Run) -> None:
    run("orgs", "create", "studio")
    create(run, "ann@x.test")
    first, second = (run("users", "totp", "ann@x.test", "on")["uri"] for _ in range(2))
    assert first.startswith("otpauth://totp/rushes%3Aann%40x.test?secret=")
    assert first != second
    assert run("users", "list")["users"][0]["has_totp"] is True
    run("users", "totp", "ann@x.test", "off")
    assert run("users", "list")["users"][0]["has_totp"] is False


def test_people_are_shut_out_and_let_in(run: Run) -> None:
    run("orgs", "create", "studio")
    create(run, "ann@x.test")
    run("users", "disable", "ann@x.test")
    assert run("users", "list")["users"][0]["disabled"] is True
    run("users", "enable", "ann@x.test")
    assert run("users", "list")["users"][0]["disabled"] is False


def test_a_password_comes_from_standard_input_without_its_line_end(run: Run, database_url: str) -> None:
    run("orgs", "create", "studio")
    create(run, "ann@x.test")
    before = stored_hash(database_url)
    run("users", "set-password", "ann@x.test", "--password-stdin", typed="another long password\r\n")
    after = stored_hash(database_url)
    assert before != after
    assert PasswordHasher().verify(after, "another long password")


def stored_hash(database_url: str) -> str:
    async def read() -> str:
        database = Database(database_url, size=1)
        await database.start()
        row = await Users(database).by_email("ann@x.test")
        await database.stop()
        assert row is not None
        return row["password_hash"]

    return asyncio.run(read())


SENSELESS: list[tuple[tuple[str, ...], str]] = [
    (("users", "create", "--email", "no e-mail", "--password-stdin"), "is not an e-mail address"),
    (("users", "create", "--email", "b@x.test", "--password-stdin", "--role", "king"), "owner, member, viewer"),
    (
        ("users", "create", "--email", "b@x.test", "--password-stdin", "--org", "nowhere"),
        "no organisation 'nowhere'",
    ),
    (("users", "create", "--email", "ANN@X.TEST", "--password-stdin"), "already"),
    (("users", "set-password", "nobody@x.test", "--password-stdin"), "Nobody has the e-mail"),
    (("users", "totp", "ann@x.test", "maybe"), "on or off"),
    (("users", "disable", "nobody@x.test"), "Nobody has the e-mail"),
    (("orgs", "create", "studio"), "already"),
    (("orgs", "create", "  "), "a line of 1 to 100 characters"),
    (("orgs", "set-balance", "studio", "much"), "an amount of dollars such as 12.50"),
    (("orgs", "set-balance", "studio", "0.0000001"), "an amount of dollars such as 12.50"),
    (("orgs", "set-balance", "studio", "NaN"), "an amount of dollars such as 12.50"),
    (("orgs", "set-balance", "studio", "1e99"), "an amount of dollars such as 12.50"),
    (("orgs", "set-limits", "studio", "--max-queued", "few"), "a whole number, or none"),
    (("keys", "create", "--name", "k", "--scope", "all"), "ie_model, ce_resource"),
    (("keys", "create", "--name", "k", "--expires-days", "0"), "a number of days"),
    (("keys", "create", "--name", "k", "--spend-limit", "-1"), "an amount of dollars"),
    (("keys", "revoke", "nokey"), "There is no key"),
]


def test_what_makes_no_sense_is_one_sentence(run: Run) -> None:
    run("orgs", "create", "studio")
    create(run, "ann@x.test")
    for words, said in SENSELESS:
        with pytest.raises(CommandFailed, match=said):
            run(*words, typed=PASSWORD)


def test_a_link_signs_in_whom_it_names_else_the_first_owner(run: Run, database_url: str) -> None:
    run("orgs", "create", "studio")
    create(run, "bob@x.test", "--role", "member")
    assert links(database_url, run("users", "link")["link"]) == ["owner@localhost"]
    assert links(database_url, run("users", "link")["link"]) == ["owner@localhost"], "made once"
    made = run("users", "link", "bob@x.test")
    assert made["url"] == f"http://127.0.0.1:1/sign-in?link={made['link']}"
    assert links(database_url, made["link"]) == ["bob@x.test"]
    run("users", "disable", "owner@localhost")
    with pytest.raises(CommandFailed, match="no owner who may log in"):
        run("users", "link")
    create(run, "ann@x.test")
    assert links(database_url, run("users", "link")["link"]) == ["ann@x.test"]
    with pytest.raises(CommandFailed, match="Nobody has the e-mail"):
        run("users", "link", "nobody@x.test")


def links(database_url: str, token: str) -> list[str]:
    """Whom a one-time link lets in."""

    async def read() -> list[str]:
        database = Database(database_url, size=1)
        await database.start()
        row = await Users(database).get(await PageSessions(database).use_link(digest(token)) or uuid4())
        await database.stop()
        return [row["email"]] if row else []

    return asyncio.run(read())


def test_a_password_that_cannot_be_is_refused(run: Run) -> None:
    run("orgs", "create", "studio")
    for typed in (b"short", b"x" * 257, b"", b"\xff\xfe not text at all"):
        with pytest.raises(CommandFailed, match=r"8 to 256 characters|not UTF-8"):
            run("users", "create", "--email", "ann@x.test", "--password-stdin", typed=typed)


def test_lists_are_tables_for_people(run: Run) -> None:
    run("orgs", "create", "studio")
    create(run, "ann@x.test")
    assert "ann@x.test" in run("users", "list", as_json=False)
    assert "studio" in run("orgs", "list", as_json=False)


def test_a_server_without_a_platform_of_its_own_is_administered_by_its_database_url(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUSHES_DATABASE_URL", database_url)
    done = CliRunner().invoke(app, ["orgs", "create", "studio", "--data", str(tmp_path / "none"), "--json"])
    assert done.exit_code == 0, done.output

    async def names() -> list[str]:
        database = Database(database_url, size=1)
        await database.start()
        found = [row["name"] for row in await Accounts(database).organisations()]
        await database.stop()
        return found

    assert asyncio.run(names()) == ["studio"]
