"""engines.toml: which engines an operator has, and which models they serve. Every fault is reported at once.

    [engines.lab]                        # a name of your own, or the engine's
    engine = "openai_videos"
    base_url = "http://10.0.0.7:8091"
    models = ["family:wan2.1"]

Each key is also a variable RUSHES_ENGINE__<NAME>__<KEY>, which wins over the file.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from rushes.domain.model_card import ModelCard
from rushes.engines.registry import Engines, UnknownEngine
from rushes.engines.route import Route, matches

VARIABLE = "RUSHES_ENGINE__"
DEFAULT_FILE = Path("engines.toml")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")

Tables = dict[str, dict[str, Any]]


class EnginesError(Exception):
    """The configuration of engines cannot be used; a line for each fault."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


def read_tables(file: Path | None, environment: Mapping[str, str]) -> Tables:
    """The tables of the file and the variables, as written.

    Without a `file`, engines.toml of the working directory is read if it is there. Raises EnginesError.
    """
    path = file or DEFAULT_FILE
    tables: Tables = {}
    if file is not None or path.exists():
        tables = _file_tables(path)
    for variable, value in environment.items():
        if variable.startswith(VARIABLE):
            name, _, key = variable.removeprefix(VARIABLE).lower().partition("__")
            if not key:
                raise EnginesError([f"{variable}: must be {VARIABLE}<NAME>__<KEY>"])
            tables.setdefault(name, {})[key] = value
    return tables


def read_routes(tables: Tables, engines: Engines, cards: Iterable[ModelCard]) -> list[Route]:
    """The routes that the tables describe, in order. Raises EnginesError with every fault of every table."""
    known, faults, routes = list(cards), list[str](), list[Route]()
    for name, table in tables.items():
        where = f"engines.{name}"
        if not _NAME.fullmatch(name):
            faults.append(f"{where}: a name is up to 32 of a-z, 0-9 and _, and begins with a letter")
            continue
        written = {key: value for key, value in table.items() if key != "engine"}
        engine = str(table.get("engine", name))
        try:
            options = engines.options_of(engine).model_validate(written)
        except UnknownEngine as error:
            faults.append(f"{where}.engine: {error}")
            continue
        except ValidationError as error:
            faults += [_fault(where, fault) for fault in error.errors()]
            continue
        route = Route(name, engine, options, written)
        faults += _idle_patterns(where, route, known)
        routes.append(route)
    if faults:
        raise EnginesError(faults)
    return routes


def _file_tables(path: Path) -> Tables:
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise EnginesError([f"{path}: {error.strerror or error}"]) from error
    except (UnicodeError, tomllib.TOMLDecodeError) as error:
        raise EnginesError([f"{path}: is not valid TOML: {error}"]) from error
    tables: Any = data.pop("engines", {})
    if data:
        raise EnginesError([f"{path}: {key}: unknown key; tables are called [engines.NAME]" for key in data])
    if not isinstance(tables, dict) or not all(
        isinstance(table, dict) for table in cast("dict[str, Any]", tables).values()
    ):
        raise EnginesError([f"{path}: engines: must hold tables, called [engines.NAME]"])
    return cast(Tables, tables)


def _fault(where: str, fault: Mapping[str, Any]) -> str:
    place = ".".join((where, *(str(part) for part in fault["loc"])))
    given = "" if fault["type"] in ("missing", "extra_forbidden") else f" (given: {str(fault['input'])[:100]})"
    text = {"missing": "is missing", "extra_forbidden": "is not a key of this engine"}.get(fault["type"], fault["msg"])
    return f"{place}: {text}{given}"


def _idle_patterns(where: str, route: Route, cards: list[ModelCard]) -> list[str]:
    """A pattern that means no model is a slip of the pen; so is a table that serves nothing."""
    if not route.options.models and not any(route.matches(card) for card in cards):
        return [f"{where}.models: is missing; no card prefers {route.engine}, so say which models it serves"]
    return [
        f"{where}.models: {pattern!r} matches no model; `rushes models` lists them"
        for pattern in route.options.models
        if not any(matches(pattern, card) for card in cards)
    ]
