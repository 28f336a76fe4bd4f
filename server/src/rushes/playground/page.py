"""One visit to one page: the request, the API as this visitor may use it, and the templates."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import quote, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from rushes.domain.errors import HTTP_ERRORS
from rushes.playground import filters, policy, view
from rushes.playground.assets import Assets
from rushes.playground.fault import BLANK, Fault, fault_of
from rushes.playground.nav import SECTIONS
from rushes.playground.public_api import PublicApi, Refused

THEME = "rushes_theme"
THEMES = ("auto", "light", "dark")


def environment(assets: Assets) -> Environment:
    """The templates: everything escaped, and a name that nobody set is an error."""
    made = Environment(
        loader=PackageLoader("rushes.playground"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(filters.FILTERS)
    names: dict[str, Any] = {
        "asset": assets.url,
        "has_asset": assets.has,
        "icon": assets.icon,
        "modules": assets.modules,
        "sections": SECTIONS,
        "advice": filters.advice_table(),
        "blank": view.blank_view(),
        "blank_fault": BLANK,
    }
    cast(dict[str, Any], made.globals).update(names)
    return made


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is signed in, in words."""

    name: str
    organisation: str = ""
    role: str = "member"
    org_id: str = ""
    operator: bool = False
    """Whether they run this machine, and so see Operate."""


@dataclass(slots=True)
class Page:
    """What a screen needs. `ordered_faults` tells whether this server obeys the payload key rushes_fault."""

    request: Request
    api: PublicApi
    templates: Environment
    ordered_faults: bool
    visitor: Visitor | None = None
    now: float = field(default_factory=time.time)

    @property
    def origin(self) -> str:
        """The address this page was opened under, for samples of code."""
        return f"{self.request.url.scheme}://{self.request.url.netloc}"

    @property
    def theme(self) -> str:
        chosen = self.request.cookies.get(THEME, "auto")
        return chosen if chosen in THEMES else "auto"

    def render(self, template: str, status: int = 200, **context: Any) -> Response:
        """A page of HTML. What every template may use is `page` and the names given here."""
        text = self.templates.get_template(template).render(page=self, **context)
        return HTMLResponse(text, status, policy.headers())

    def redirect(self, to: str) -> Response:
        """See another page, by GET."""
        return RedirectResponse(to, 303, {"Cache-Control": "no-store"})

    def sign_in(self, back: str = "") -> Response:
        """Off to sign in, and back to where the visitor wanted to go, or to the path `back`."""
        read = self.request.method in ("GET", "HEAD")
        url = urlsplit(str(self.request.url) if read else self.request.headers.get("referer", "/"))
        wanted = back or url.path + (f"?{url.query}" if url.query else "")
        return self.redirect(f"/sign-in?next={quote(wanted, safe='')}")

    def fault(self, error: Refused) -> Fault:
        """What to show of a refusal."""
        return self._fault(error.status, error.code, error.text, error.call_id, error.retry_after)

    def own_fault(self, code: str, call_id: str = "") -> Fault:
        """The same for an error that the page itself found."""
        row = HTTP_ERRORS[code]
        return self._fault(row.status, row.code, row.text, call_id, None)

    def _fault(self, status: int, code: str, text: str, call_id: str, retry_after: str | None) -> Fault:
        path = self.request.url.path
        return fault_of(
            status=status, code=code, text=text, path=path, now=self.now, call_id=call_id, retry_after=retry_after
        )

    def refused(self, error: Refused) -> Response:
        """What a visitor is told when the API refuses what the page itself needs."""
        if error.status == 401:
            return self.sign_in()
        answer = self.render("error.html", error.status, number=error.status, said=self.fault(error))
        if error.retry_after:
            answer.headers["Retry-After"] = error.retry_after
        return answer

    def broken(self, call_id: str) -> Response:
        """Our own mistake; what went wrong is in the log, under this id."""
        said = self.own_fault("internal", call_id)
        return self.render("error.html", HTTP_ERRORS["internal"].status, number=500, said=said)

    def missing(self) -> Response:
        """Nothing is here."""
        return self.render("error.html", 404, number=404, said=self.own_fault("not_found"))

    def query(self, name: str) -> str:
        return self.request.query_params.get(name, "").strip()

    def query_with(self, changes: Mapping[str, str]) -> str:
        """This page's address with other query values; an empty value leaves the name out."""
        kept = {**dict(self.request.query_params), **changes}
        pairs = "&".join(f"{quote(name)}={quote(value, safe='')}" for name, value in kept.items() if value)
        return self.request.url.path + (f"?{pairs}" if pairs else "")
