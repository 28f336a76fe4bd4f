"""The front door, and the switch of the theme."""

from urllib.parse import urlsplit

from starlette.responses import Response

from rushes.playground.page import THEME, THEMES, Page

YEAR = 365 * 86_400


async def home(page: Page) -> Response:
    """GET /: the models are where everything starts."""
    return page.redirect("/models")


async def theme(page: Page) -> Response:
    """POST /theme: remember light, dark or the system's choice, and go back."""
    form = await page.request.form(max_files=0, max_fields=4)
    chosen = str(form.get("theme"))
    back = urlsplit(page.request.headers.get("referer", ""))
    answer = page.redirect(local_path(back.path + (f"?{back.query}" if back.query else "")))
    if chosen in THEMES:
        answer.set_cookie(THEME, chosen, max_age=YEAR, samesite="lax")
    return answer


def local_path(wanted: str) -> str:
    """A path of ours to go to, whatever was asked for: never another host."""
    parts = urlsplit(wanted)
    fits = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and not parts.netloc
    return wanted if fits and wanted.isprintable() else "/"
