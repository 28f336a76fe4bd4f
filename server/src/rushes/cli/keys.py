"""`rushes keys`: the keys of the running platform."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from rushes.accounts.bootstrap import FirstKey, create_key
from rushes.accounts.keys import OPERATE, SCOPES
from rushes.cli.failure import CommandFailed
from rushes.cli.options import micro_dollars
from rushes.cli.orgs import chosen
from rushes.cli.running import with_database
from rushes.store.accounts import Accounts
from rushes.store.database import Database, Row

MAX_DAYS = 36_500


@dataclass(frozen=True, slots=True)
class KeyOptions:
    """What a new key may do, as typed."""

    org: str | None
    scopes: Sequence[str]
    expires_days: float | None
    spend_limit: str | None


def create(data: Path, name: str, options: KeyOptions, as_json: bool) -> None:
    """Create a key and show it once. Raises CommandFailed for options that make no sense."""
    known = (*SCOPES, OPERATE)
    unknown = [scope for scope in options.scopes if scope not in known]
    if unknown:
        raise CommandFailed(f"--scope must be among {', '.join(known)}, not {unknown[0]!r}")
    if options.expires_days is not None and not 0 < options.expires_days <= MAX_DAYS:
        raise CommandFailed(f"--expires-days must be a number of days up to {MAX_DAYS}")
    expires_at = None if options.expires_days is None else datetime.now(UTC) + timedelta(days=options.expires_days)
    limit = None if options.spend_limit is None else micro_dollars(options.spend_limit, "--spend-limit")

    async def work(database: Database) -> FirstKey:
        accounts = Accounts(database)
        org = await chosen(database, options.org)
        if OPERATE in options.scopes and not org["operator"]:
            raise CommandFailed(f"{org['name']} does not run this platform. rushes orgs set-operator says who does")
        return await create_key(
            accounts, org["org_id"], name, scopes=options.scopes, expires_at=expires_at, spend_limit_micro=limit
        )

    made = with_database(data, work)
    if as_json:
        typer.echo(json.dumps({"id": made.key_id, "key": made.key}))
    else:
        typer.echo(f"{made.key}\nShown once. Its id is {made.key_id}; revoke it with: rushes keys revoke {made.key_id}")


def list_keys(data: Path, as_json: bool) -> None:
    rows = with_database(data, lambda database: Accounts(database).keys())
    shown = [_shown(row) for row in rows]
    if as_json:
        typer.echo(json.dumps({"keys": shown}))
        return
    table = Table("id", "name", "organisation", "ends with", "scopes", "last used", "state")
    for key in shown:
        table.add_row(
            key["id"],
            key["name"],
            key["organisation"],
            f"...{key['last4']}",
            " ".join(key["scopes"]),
            key["last_used_at"] or "never",
            "revoked" if key["revoked_at"] else "good",
        )
    Console().print(table)


def revoke(data: Path, key_id: str, as_json: bool) -> None:
    """Revoke a key. Raises CommandFailed for an unknown id."""
    if not with_database(data, lambda database: Accounts(database).revoke_key(key_id)):
        raise CommandFailed(f"There is no key {key_id}. rushes keys list shows those there are")
    typer.echo(json.dumps({"id": key_id, "revoked": True}) if as_json else f"{key_id} is revoked")


def _shown(row: Row) -> dict[str, Any]:
    return {
        "id": row["key_id"],
        "name": row["name"],
        "organisation": row["org_name"],
        "org_id": str(row["org_id"]),
        "last4": row["last4"],
        "scopes": list(row["scopes"]),
        "created_at": _iso(row["created_at"]),
        "last_used_at": _iso(row["last_used_at"]),
        "expires_at": _iso(row["expires_at"]),
        "revoked_at": _iso(row["revoked_at"]),
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None
