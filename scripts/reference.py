"""Write docs/reference: a page per model family from the cards, errors, settings, the API from its OpenAPI document,
and the SDK from its docstrings.

With --check nothing is written: the pages that are stale are named, and the exit status is 1 if there are any.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from api_page import api_page
from pydantic.fields import FieldInfo
from rushes.catalog.guide import guide
from rushes.catalog.loader import load_catalog
from rushes.config import Settings
from rushes.domain.errors import FAILURES, HTTP_ERRORS
from rushes.domain.model_card import ModelCard
from rushes.engines.options import EngineOptions
from rushes.engines.registry import Engines
from sdk_page import sdk_page

REFERENCE = Path(__file__).parent.parent / "docs" / "reference"
NOTE = "<!-- Written by scripts/reference.py. Change its sources, not this page. -->"

ENGINES_HEAD = """
Which engine serves which models. `RUSHES_ENGINES_FILE` names the file; without it, `engines.toml` of the working
directory is read if it is there, and without any, every model is served by the engine of its card: `animatic`.
Each `[engines.NAME]` is a table. NAME is an engine, or a word of your own beside a key `engine`. A key can also be a
variable, `RUSHES_ENGINE__<NAME>__<KEY>`, which wins; lists are separated by commas there.

A model is served by the first table that matches it: those of local engines, then remote, then upstream, and within
each in the order of the file. No match: the engine of its card. The API and every worker need the same file; workers
also need the keys it refers to. A fault in it is refused at start, every fault at once.
"""


def pages() -> dict[Path, str]:
    """Every generated page and what it must hold."""
    cards = load_catalog(test_models=True).cards
    families: dict[str, list[ModelCard]] = {}
    for card in cards:
        families.setdefault(card.family, []).append(card)
    found = {REFERENCE / "models" / f"{family}.md": _family(family, members) for family, members in families.items()}
    found[REFERENCE / "models" / "README.md"] = _index(cards)
    found[REFERENCE / "errors.md"] = _errors()
    found[REFERENCE / "settings.md"] = _settings()
    found[REFERENCE / "engines.md"] = _engines()
    found[REFERENCE / "sdk.md"] = f"{NOTE}\n{sdk_page()}"
    found[REFERENCE / "api.md"] = f"{NOTE}\n{api_page()}"
    return found


def _engines() -> str:
    """The keys of engines.toml, from the options of every installed engine."""
    engines = Engines()
    lines = [NOTE, "# engines.toml", ENGINES_HEAD]
    for name in engines.names:
        options = engines.options_of(name)
        if options is not EngineOptions:
            lines += [f"## {name}", f"Place: {options.place}.", "", "| key | default | what it says |", "|---|---|---|"]
            lines += [
                f"| `{key}` | {_said(field)} | {field.description} |" for key, field in options.model_fields.items()
            ]
            lines.append("")
    return "\n".join(lines)


def _said(field: FieldInfo) -> str:
    return "required" if field.is_required() else _default(field)


def _settings() -> str:
    rows = [
        f"| `RUSHES_{name.upper()}` | {_default(field)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    head = "Each is an environment variable, or in lower case without prefix a key of `rushes.toml`. Variables win."
    return "\n".join(
        [NOTE, "# Settings", head, "", "| variable | default | what it does |", "|---|---|---|", *rows, ""]
    )


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if value is None or value in ("", []):
        return "none"
    return f"`{','.join(map(str, value)) if isinstance(value, list) else value}`"


def stale() -> list[Path]:
    """The pages that differ from their sources, are missing, or have no source any more."""
    wanted = pages()
    unwanted = [path for path in (REFERENCE / "models").glob("*.md") if path not in wanted]
    return unwanted + [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]


def _family(family: str, cards: Iterable[ModelCard]) -> str:
    guides = "\n".join(guide(card, level=2) for card in cards)
    return f"{NOTE}\n# Models of the family {family}\n\n{guides}"


def _index(cards: Iterable[ModelCard]) -> str:
    rows = [
        f"| [`{card.id}`]({card.family}.md) | {card.org_id} | {card.task} | {card.price.details} | {_public(card)} |"
        for card in cards
    ]
    return "\n".join(
        [
            NOTE,
            "# Models",
            "",
            "Every model card that comes with the server. Closed models are rendered by `animatic` until the operator "
            "configures an upstream; [the card format](../card-format.md) says how to add models.",
            "",
            "| Model | Made by | Task | Price | Price is |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _public(card: ModelCard) -> str:
    return f"a public figure of {card.price.as_of}" if card.price.public else "our default"


def _errors() -> str:
    answers = [
        f"| `{row.code}` | {row.status} | {_yes(row.retryable)} | {row.text} | {row.advice} |"
        for row in HTTP_ERRORS.values()
    ]
    failures = [f"| `{row.code}` | {_yes(row.retryable)} | {row.text} | {row.advice} |" for row in FAILURES.values()]
    return "\n".join(
        [
            NOTE,
            "# Error codes",
            "",
            "## Calls that are refused",
            "",
            "The body of every refused call is `error` and `message` (the same text), `code`, `retryable`, `param` and "
            "`detail`. Programs go by `code`; the text may change.",
            "",
            "| Code | HTTP | Trying again can help | Text begins | What to do |",
            "|---|---|---|---|---|",
            *answers,
            "",
            "## Requests that end as failed",
            "",
            "A request that was accepted never becomes an HTTP error. Its `status` is `failed`, the text is in `error` "
            "and `outcome.error`, and the code is in `error_code`. A failed request is not charged.",
            "",
            "| Code | Trying again can help | Meaning | What to do |",
            "|---|---|---|---|",
            *failures,
            "",
        ]
    )


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def main() -> None:
    if "--check" in sys.argv[1:]:
        found = stale()
        for path in found:
            print(f"{path} is stale, run scripts/reference.py")
        sys.exit(1 if found else 0)
    wanted = pages()
    for path in stale():
        if path not in wanted:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path])
        print(path)


if __name__ == "__main__":
    main()
