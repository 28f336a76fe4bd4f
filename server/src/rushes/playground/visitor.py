"""Who looks at a page, as the API knows them."""

from rushes.playground.page import Page, Visitor

PAGE_SESSION = "/api/v1/me/page-session"


async def visitor(page: Page) -> Visitor:
    """The person, or the key, that is signed in. Raises Refused 401 when nobody is."""
    told = (await page.api.call("GET", PAGE_SESSION)).value
    place = told["organization"]
    name = told["user"]["email"] if told["by"] == "person" else f"Key {told['key']['name']}"
    return Visitor(name, place["name"], place["role"], place["id"], told["operator"])
