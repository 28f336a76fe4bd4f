"""`rushes users`: the people of the platform."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from rushes.cli.failure import CommandFailed
from rushes.cli.options import DataOption, JsonOption, OrgOption, read_password

if TYPE_CHECKING:
    from rushes.accounts.people import People
    from rushes.store.database import Database

T = TypeVar("T")

app = typer.Typer(help="People who log in with e-mail and password.", no_args_is_help=True)

EmailOption = Annotated[str, typer.Option("--email", help="The e-mail they log in with.")]
EmailArgument = Annotated[str, typer.Argument(help="The e-mail they log in with.")]
RoleOption = Annotated[str, typer.Option("--role", help="owner, member or viewer.")]
PasswordOption = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


@app.command("create")
def create(
    data: DataOption,
    email: EmailOption,
    org: OrgOption = None,
    role: RoleOption = "owner",
    password_stdin: PasswordOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make a user, with a role in one organisation."""
    password = read_password(password_stdin)

    async def work(people: People, database: Database) -> dict[str, Any]:
        from rushes.cli.orgs import chosen

        row = await chosen(database, org)
        user_id = await people.create(email, password, row["org_id"], role)
        return {"id": str(user_id), "email": email, "organisation": row["name"], "role": role}

    made = _with_people(data, work)
    _tell(made, f"{email} is {role} of {made['organisation']}", as_json)


@app.command("join")
def join(
    data: DataOption,
    email: EmailOption,
    org: OrgOption = None,
    role: RoleOption = "member",
    as_json: JsonOption = False,
) -> None:
    """Add a user to an organisation, or change the role there."""

    async def work(people: People, database: Database) -> str:
        from rushes.cli.orgs import chosen

        row = await chosen(database, org)
        await people.join(email, row["org_id"], role)
        return row["name"]

    name = _with_people(data, work)
    _tell({"email": email, "organisation": name, "role": role}, f"{email} is {role} of {name}", as_json)


@app.command("list")
def list_users(data: DataOption, as_json: JsonOption = False) -> None:
    """List everybody."""
    from rich.console import Console
    from rich.table import Table

    from rushes.cli.running import with_database
    from rushes.store.users import Users

    rows = with_database(data, lambda database: Users(database).all())
    shown = [_shown(row) for row in rows]
    if as_json:
        typer.echo(json.dumps({"users": shown}))
        return
    table = Table("e-mail", "organisations", "second factor", "state")
    for user in shown:
        places = ", ".join(f"{place['organisation']} ({place['role']})" for place in user["memberships"])
        table.add_row(
            user["email"], places, "on" if user["has_totp"] else "off", "disabled" if user["disabled"] else "good"
        )
    Console().print(table)


@app.command("set-password")
def set_password(
    data: DataOption, email: EmailArgument, password_stdin: PasswordOption = False, as_json: JsonOption = False
) -> None:
    """Give a user another password; their sessions end."""
    password = read_password(password_stdin)
    _with_people(data, lambda people, _: people.set_password(email, password))
    _tell({"email": email}, f"{email} has a new password", as_json)


@app.command("link")
def link(
    data: DataOption,
    email: Annotated[str | None, typer.Argument(help="Whom; if left out, the first organisation's owner.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Print a link that signs one browser in to the web page, once, within a quarter of an hour."""

    async def work(people: People, database: Database) -> str | None:
        from rushes.accounts.bootstrap import first_owner_link
        from rushes.store.page_sessions import PageSessions

        if email is None:
            return await first_owner_link(database)
        return await people.sign_in_link(email, PageSessions(database))

    from rushes.accounts.sign_in_link import link_url
    from rushes.cli.running import address_of

    token = _with_people(data, work)
    if token is None:
        raise CommandFailed("The first organisation has no owner who may log in. rushes users list shows everybody")
    url = link_url(address_of(data), token)
    _tell({"url": url, "link": token}, url, as_json)


@app.command("totp")
def totp(
    data: DataOption,
    email: EmailArgument,
    switch: Annotated[str, typer.Argument(help="on or off.")],
    as_json: JsonOption = False,
) -> None:
    """Switch the second factor on, with a new secret, or off; their sessions end."""
    if switch not in ("on", "off"):
        raise CommandFailed(f"totp is switched on or off, not {switch!r}")
    if switch == "off":
        _with_people(data, lambda people, _: people.switch_totp_off(email))
        _tell({"email": email, "totp": False}, f"{email} logs in without a code", as_json)
        return
    uri = _with_people(data, lambda people, _: people.switch_totp_on(email))
    _tell({"email": email, "totp": True, "uri": uri}, f"{uri}\nShown once. Put it into an authenticator app", as_json)


@app.command("disable")
def disable(data: DataOption, email: EmailArgument, as_json: JsonOption = False) -> None:
    """Shut a user out, sessions and API keys included, within a second."""
    _with_people(data, lambda people, _: people.set_disabled(email, True))
    _tell({"email": email, "disabled": True}, f"{email} is disabled", as_json)


@app.command("enable")
def enable(data: DataOption, email: EmailArgument, as_json: JsonOption = False) -> None:
    """Let a disabled user in again."""
    _with_people(data, lambda people, _: people.set_disabled(email, False))
    _tell({"email": email, "disabled": False}, f"{email} may log in", as_json)


def _with_people(data: Path, work: Callable[[People, Database], Awaitable[T]]) -> T:
    """Run `work` on the platform's people. What is wrong with what was typed becomes CommandFailed."""
    from rushes.accounts.passwords import Passwords, WeakPassword
    from rushes.accounts.people import BadPerson, People
    from rushes.cli.running import with_database
    from rushes.store.users import EmailTaken, Users

    try:
        return with_database(data, lambda database: work(People(Users(database), Passwords()), database))
    except (BadPerson, WeakPassword) as error:
        raise CommandFailed(str(error)) from error
    except EmailTaken as error:
        raise CommandFailed(f"Somebody has the e-mail {error} already. rushes users list shows everybody") from error


def _tell(facts: dict[str, Any], sentence: str, as_json: bool) -> None:
    typer.echo(json.dumps(facts) if as_json else sentence)


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": str(row["user_id"]),
        "email": row["email"],
        "memberships": row["memberships"],
        "has_totp": row["has_totp"],
        "disabled": row["disabled_at"] is not None,
        "created_at": row["created_at"].isoformat(timespec="seconds"),
    }
