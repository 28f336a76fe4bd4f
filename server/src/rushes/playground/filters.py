"""Filters of the templates."""

from collections.abc import Callable
from typing import Any, Final, cast

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from rushes.domain.errors import FAILURES, HTTP_ERRORS
from rushes.playground import view
from rushes.playground.public_api import pretty

# "js-default" knows no raw HTML and checks link addresses; pictures would be foreign requests, so they go as well.
_MARKDOWN: Final = MarkdownIt("js-default", {"linkify": False}).disable(["image"])


def _nofollow(self: Any, tokens: list[Token], index: int, options: Any, env: Any) -> str:
    tokens[index].attrSet("rel", "nofollow noopener noreferrer")
    return cast(str, self.renderToken(tokens, index, options, env))


_MARKDOWN.add_render_rule("link_open", _nofollow)


def markdown(text: str) -> Markup:
    """A guide as HTML: no raw HTML, no pictures, no links but plain ones that pass nothing on."""
    return Markup(_MARKDOWN.render(text))  # noqa: S704 - the renderer escapes; tests/browser plants what must not pass


def advice_table() -> dict[str, dict[str, str]]:
    """What to do after each way in which a request can fail or a call be refused, for view.js and fault.js."""
    return {
        "failures": {code: row.advice for code, row in FAILURES.items()},
        "refusals": {code: row.advice for code, row in HTTP_ERRORS.items()},
    }


FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "markdown": markdown,
    "pretty": pretty,
    "money": view.money,
    "duration": view.duration,
    "age": view.age,
    "clock": view.clock,
    "model_href": view.model_href,
}
