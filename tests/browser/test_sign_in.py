"""Signing in: a second factor, too many tries, and on to the page that was asked for."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
from playwright.sync_api import Page, expect
from rushes.accounts.guard import PER_EMAIL
from rushes.accounts.passwords import Passwords
from rushes.accounts.people import People
from rushes.accounts.totp import STEP_SECONDS, code_at
from rushes.cli.running import with_database
from rushes.store.accounts import Accounts
from rushes.store.database import Database
from rushes.store.login_failures import LoginFailures
from rushes.store.users import Users
from support.platform import RunningPlatform
from support.visits import Visit

T = TypeVar("T")
PASSWORD = "a quiet harbour at dawn"
EMAIL = "second@factor.test"


def on_the_database(platform: RunningPlatform, work: Callable[[Database], Awaitable[T]]) -> T:
    """In a thread of its own: Playwright has an event loop in ours."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(with_database, platform.data, work).result()


@pytest.fixture(scope="module")
def secret(platform: RunningPlatform) -> str:
    """The secret of somebody with a second factor, who is alone in an organisation that has nothing yet."""

    async def made(database: Database) -> str:
        people = People(Users(database), Passwords())
        org_id = await Accounts(database).add_organisation("Empty")
        await people.create(EMAIL, PASSWORD, org_id, "owner")
        return await people.switch_totp_on(EMAIL)

    found = re.search("secret=([A-Z2-7]+)", on_the_database(platform, made))
    assert found is not None
    return found[1]


@pytest.fixture
def visit(visiting: Callable[..., Visit]) -> Visit:
    made = visiting(cookies=False)
    made.allow("status of 400", "status of 429")
    return made


def asked(page: Page, email: str, password: str = PASSWORD) -> None:
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_a_second_factor_is_asked_for_again_after_a_wrong_code_and_leads_to_the_page_asked_for(
    visit: Visit, secret: str, platform: RunningPlatform
) -> None:
    page = visit.page
    page.goto("/requests?q=status%3Afailed")
    asked(page, EMAIL)
    expect(page.get_by_role("heading", name="One more thing")).to_be_visible()
    page.get_by_label("Code").fill("000 000")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("400 invalid_otp")
    expect(page.get_by_label("Code")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Code").fill(code_at(secret, int(time.time()) // STEP_SECONDS))
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{platform.address}/requests?q=status%3Afailed")
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    # The organisation has nothing yet: every screen says so, and what to do about it.
    for path in ("/models", "/requests", "/files", "/keys", "/usage", "/webhooks"):
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, path


def test_too_many_tries_are_told_with_a_clock_that_runs_down(visit: Visit, platform: RunningPlatform) -> None:
    subject = "email:" + hashlib.sha256(b"tried@often.test").hexdigest()

    async def tried(database: Database) -> None:
        for _ in range(PER_EMAIL):
            await LoginFailures(database).add([subject])

    on_the_database(platform, tried)
    page = visit.page
    page.clock.install()
    page.goto("/sign-in?next=/usage")
    asked(page, "tried@often.test")
    clock = page.locator("rushes-countdown")
    expect(clock).to_have_text(re.compile("^Try again in [45] min"))
    expect(page.get_by_role("button", name="Sign in")).to_be_disabled()
    expect(page.get_by_label("E-mail")).to_have_value("tried@often.test")
    before = clock.inner_text()
    page.clock.run_for(2_000)
    assert clock.inner_text() != before
    page.clock.run_for(300_000)
    expect(clock).to_have_text("You can try again now.")
    expect(page.get_by_role("button", name="Sign in")).to_be_enabled()
