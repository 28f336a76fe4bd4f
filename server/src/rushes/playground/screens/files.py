"""Files: what was uploaded for use in payloads, and a place to drop more."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from rushes.playground import code
from rushes.playground.page import Page
from rushes.playground.public_api import Refused
from rushes.playground.screens.organisation import fields
from rushes.playground.screens.sent import counted, uploaded
from rushes.playground.view import own_link

PAGE = 60


async def listing(page: Page) -> Response:
    """GET /files?from=N: newest first."""
    return await _shown(page)


async def act(page: Page) -> Response:
    """POST /files/upload and /files/delete, from forms."""
    match page.request.path_params["action"]:
        case "upload":
            return await _upload(page)
        case "delete":
            form = await fields(page)
            await page.api.delete(f"/files/{quote(str(form.get('id', '')), safe='')}")
            return page.redirect("/files")
        case _:
            return page.missing()


async def _upload(page: Page) -> Response:
    """Each file of the form; the first that the API refuses ends it, those before it are kept."""
    request = Request(page.request.scope, counted(page.request.receive))
    try:
        async with request.form(max_files=16, max_fields=4) as form:
            for value in form.getlist("file"):
                if not isinstance(value, str) and value.filename:
                    await uploaded(page, value)
    except Refused as error:
        if error.status == 401:
            raise
        return await _shown(page, error)
    return page.redirect("/files")


async def _shown(page: Page, error: Refused | None = None) -> Response:
    start = int(page.query("from")) if page.query("from").isdecimal() and len(page.query("from")) < 9 else 0
    told = await page.api.get("/files", limit=PAGE, offset=start)
    files = [
        {**each, "link": own_link(each["public_url"]), "name": _name(each), "size": _size(each["size_bytes"])}
        for each in told["files"]
    ]
    return page.render(
        "files/index.html",
        error.status if error else 200,
        error=error,
        files=files,
        total=told["total"],
        start=start,
        after=start + PAGE if told["has_more"] else None,
        before=max(0, start - PAGE) if start else None,
        samples=code.get_samples(page.origin, "/files", 'print(client.upload("photo.jpg").public_url)'),
    )


def _name(file: dict[str, object]) -> str:
    """A file has no name of its own here; its kind and the beginning of its hash tell it from others."""
    kind = str(file["content_type"]).partition("/")[0]
    return f"{kind} {str(file['sha256'] or file['file_id'])[:8]}"


def _size(count: int) -> str:
    """Bytes in kB or MB."""
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{max(1, round(count / 1e3))} kB"
