"""`rushes orgs`: organisations, what they may spend, and their limits."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from rushes.cli.failure import CommandFailed
from rushes.cli.options import DataOption, JsonOption, micro_dollars

if TYPE_CHECKING:
    from rushes.store.database import Database, Row

app = typer.Typer(help="Organisations, their balances and limits.", no_args_is_help=True)

OrgArgument = Annotated[str, typer.Argument(help="The organisation's name or id.")]
MAX_LIMIT = 10**15
MIN_WEIGHT, MAX_WEIGHT = 0.01, 100.0


@app.command("create")
def create(
    data: DataOption,
    name: Annotated[str, typer.Argument(help="What it is called.")],
    balance: Annotated[str | None, typer.Option(help="Dollars it may spend; unlimited if not given.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Make an organisation."""
    from rushes.cli.running import with_database
    from rushes.store.accounts import Accounts

    micro = None if balance is None else micro_dollars(balance, "--balance")
    if not name.strip() or len(name) > 100 or not name.isprintable():
        raise CommandFailed("The name of an organisation is a line of 1 to 100 characters")

    async def work(database: Database) -> UUID:
        accounts = Accounts(database)
        if await accounts.named(name):
            raise CommandFailed(f"There is an organisation {name!r} already. rushes orgs list shows all")
        return await accounts.add_organisation(name, balance_micro=micro)

    org_id = with_database(data, work)
    typer.echo(json.dumps({"id": str(org_id), "name": name}) if as_json else f"{name} is made; its id is {org_id}")


@app.command("list")
def list_orgs(data: DataOption, as_json: JsonOption = False) -> None:
    """List organisations with balances and limits."""
    from rich.console import Console
    from rich.table import Column, Table

    from rushes.cli.running import with_database
    from rushes.store.accounts import Accounts

    async def work(database: Database) -> list[dict[str, Any]]:
        accounts = Accounts(database)
        lanes = await accounts.lane_limits()
        return [
            _shown(row)
            | {"lane_limits": {one["lane"]: one["max_running"] for one in lanes if one["org_id"] == row["org_id"]}}
            for row in await accounts.organisations()
        ]

    shown = with_database(data, work)
    if as_json:
        typer.echo(json.dumps({"organisations": shown}))
        return
    table = Table("name", Column("id", overflow="fold"), "balance", "held", "unfinished", "weight", "limits")
    for org in shown:
        limits = ", ".join(f"{name} {value}" for name, value in {**org["limits"], **org["lane_limits"]}.items())
        table.add_row(
            f"{org['name']} (operator)" if org["operator"] else org["name"],
            org["id"],
            _dollars(org["balance_micro_usd"]),
            _dollars(org["held_micro_usd"]),
            str(org["unfinished"]),
            f"{org['weight']:g}",
            limits or "none",
        )
    Console().print(table)


@app.command("set-balance")
def set_balance(
    data: DataOption,
    org: OrgArgument,
    amount: Annotated[str, typer.Argument(help="Dollars, such as 25.50, or unlimited.")],
    as_json: JsonOption = False,
) -> None:
    """Say what an organisation may still spend."""
    from rushes.cli.running import with_database
    from rushes.store.accounts import Accounts

    micro = None if amount == "unlimited" else micro_dollars(amount, "The balance")

    async def work(database: Database) -> Row:
        row = await chosen(database, org)
        await Accounts(database).set_balance(row["org_id"], micro)
        return row

    row = with_database(data, work)
    told = {"id": str(row["org_id"]), "name": row["name"], "balance_micro_usd": micro}
    typer.echo(json.dumps(told) if as_json else f"{row['name']} may spend {_dollars(micro)}")


@app.command("set-limits")
def set_limits(
    data: DataOption,
    org: OrgArgument,
    max_queued: Annotated[str | None, typer.Option(help="Unfinished requests; a number, or none.")] = None,
    max_running: Annotated[str | None, typer.Option(help="Requests that run at once; a number, or none.")] = None,
    submits_per_minute: Annotated[str | None, typer.Option(help="Submits of each key; a number, or none.")] = None,
    polls_per_minute: Annotated[str | None, typer.Option(help="Polls of each key; a number, or none.")] = None,
    upload_bytes_per_day: Annotated[str | None, typer.Option(help="Bytes of uploads; a number, or none.")] = None,
    max_priority: Annotated[str | None, typer.Option(help="Highest priority of a request; or none.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Change the limits that are given, leave the others; `none` takes a limit away."""
    from rushes.cli.running import with_database
    from rushes.store.accounts import Accounts

    given = {
        "max_queued": max_queued,
        "max_running": max_running,
        "submits_per_minute": submits_per_minute,
        "polls_per_minute": polls_per_minute,
        "upload_bytes_per_day": upload_bytes_per_day,
        "max_priority": max_priority,
    }
    changed = {name: _limit(name, text) for name, text in given.items() if text is not None}

    async def work(database: Database) -> dict[str, Any]:
        row = await chosen(database, org)
        limits = {name: value for name, value in {**_limits(row), **changed}.items() if value is not None}
        max_running = limits.pop("max_running", None)
        await Accounts(database).set_limits(row["org_id"], limits, max_running)
        return _shown(await chosen(database, str(row["org_id"])))

    shown = with_database(data, work)
    limits = ", ".join(f"{name} {value}" for name, value in shown["limits"].items()) or "none"
    typer.echo(json.dumps(shown) if as_json else f"Limits of {shown['name']}: {limits}")


@app.command("set-lane-limit")
def set_lane_limit(
    data: DataOption,
    org: OrgArgument,
    lane: Annotated[str, typer.Argument(help="An engine, or an engine and a model; `rushes lanes` lists them.")],
    running: Annotated[str, typer.Argument(help="Requests of that lane that run at once; a number, or none.")],
    as_json: JsonOption = False,
) -> None:
    """Say how many requests of one lane an organisation may run at once."""
    from rushes.cli.running import with_database
    from rushes.store.accounts import Accounts

    limit = _limit("running", running)

    async def work(database: Database) -> Row:
        row = await chosen(database, org)
        await Accounts(database).set_lane_limit(row["org_id"], lane, limit)
        return row

    row = with_database(data, work)
    told = {"id": str(row["org_id"]), "name": row["name"], "lane": lane, "max_running": limit}
    typer.echo(json.dumps(told) if as_json else f"{row['name']} runs {running} of {lane} at once")


@app.command("set-weight")
def set_weight(
    data: DataOption,
    org: OrgArgument,
    weight: Annotated[str, typer.Argument(help="1 is usual; with 2 it gets twice as much of a busy lane.")],
    as_json: JsonOption = False,
) -> None:
    """Say what part of a busy lane an organisation gets against others; felt by its next submits."""
    from rushes.cli.running import with_database
    from rushes.store.accounts import Accounts

    value = _weight(weight)

    async def work(database: Database) -> Row:
        row = await chosen(database, org)
        await Accounts(database).set_weight(row["org_id"], value)
        return row

    row = with_database(data, work)
    told = {"id": str(row["org_id"]), "name": row["name"], "weight": value}
    typer.echo(json.dumps(told) if as_json else f"{row['name']} has the weight {value:g}")


@app.command("set-operator")
def set_operator(
    data: DataOption,
    org: OrgArgument,
    answer: Annotated[str, typer.Argument(help="yes or no.")],
    as_json: JsonOption = False,
) -> None:
    """Say whether the owners of an organisation run this platform: see every queue, hold lanes, drain qworkers."""
    from rushes.cli.running import with_database
    from rushes.store.accounts import Accounts

    if answer not in ("yes", "no"):
        raise CommandFailed(f"Say yes or no, not {answer!r}")

    async def work(database: Database) -> Row:
        row = await chosen(database, org)
        await Accounts(database).set_operator(row["org_id"], answer == "yes")
        return row

    row = with_database(data, work)
    told = {"id": str(row["org_id"]), "name": row["name"], "operator": answer == "yes"}
    sentence = f"{row['name']} {'runs' if answer == 'yes' else 'does not run'} this platform"
    typer.echo(json.dumps(told) if as_json else sentence)


async def chosen(database: Database, text: str | None) -> Row:
    """The organisation of this name or id; without one, the only organisation there is. Raises CommandFailed."""
    from rushes.store.accounts import Accounts

    accounts = Accounts(database)
    found = await accounts.organisations() if text is None else await accounts.named(text)
    if len(found) == 1:
        return found[0]
    if text is None:
        names = ", ".join(row["name"] for row in found[:10])
        raise CommandFailed(f"Which organisation? Say --org with one of: {names}")
    if found:
        raise CommandFailed(f"Several organisations are called {text!r}. rushes orgs list shows their ids")
    raise CommandFailed(f"There is no organisation {text!r}. rushes orgs create makes one, rushes orgs list shows all")


def _limit(name: str, text: str) -> int | None:
    if text == "none":
        return None
    if not (text.isascii() and text.isdigit() and int(text) <= MAX_LIMIT):
        raise CommandFailed(f"--{name.replace('_', '-')} must be a whole number, or none, not {text!r}")
    return int(text)


def _weight(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not MIN_WEIGHT <= value <= MAX_WEIGHT:
        raise CommandFailed(f"The weight must be a number from {MIN_WEIGHT:g} to {MAX_WEIGHT:g}, not {text!r}")
    return value


def _limits(row: Row) -> dict[str, Any]:
    """Every limit of an organisation, max_running too, which has a column of its own."""
    limits: dict[str, Any] = json.loads(row["limits"])
    return limits if row["max_running"] is None else {**limits, "max_running": row["max_running"]}


def _shown(row: Row) -> dict[str, Any]:
    return {
        "id": str(row["org_id"]),
        "name": row["name"],
        "balance_micro_usd": row["balance_micro"],
        "held_micro_usd": row["held_micro"],
        "unfinished": row["unfinished"],
        "weight": row["weight"],
        "operator": row["operator"],
        "limits": _limits(row),
    }


def _dollars(micro: int | None) -> str:
    return "unlimited" if micro is None else f"${micro / 1e6:,.6f}".rstrip("0").rstrip(".")
