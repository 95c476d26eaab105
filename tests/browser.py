"""A real browser without a screen for the tests of the page; fails a test where anything is fetched from elsewhere."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect, sync_playwright

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
NEEDS_CHROMIUM = pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="no Chromium here: apt-get install chromium")
Open = Callable[..., Page]


@contextmanager
def launched() -> Iterator[Browser]:
    """Chromium, for as long as the block lasts."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@contextmanager
def opening(browser: Browser, url: str) -> Iterator[Open]:
    """Opens the chat in a browser of its own; nothing may come from elsewhere, and no error may be logged."""
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def watch(route: Route) -> None:
        if not route.request.url.startswith((url, "data:", "blob:")):
            wrong.append(route.request.url)
        route.continue_()

    def opened(locale: str = "nl-NL", width: int = 1400, dark: bool = False) -> Page:
        context = browser.new_context(
            locale=locale,
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            permissions=["clipboard-read", "clipboard-write"],
        )
        contexts.append(context)
        context.set_default_timeout(20_000)
        page = context.new_page()
        page.route("**/*", watch)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.goto(url)
        page.wait_for_selector(".fi.ready")
        expect(page.locator("#reader .text")).to_be_attached(timeout=20_000)
        return page

    expect.set_options(timeout=20_000)
    yield opened
    for context in contexts:
        context.close()
    assert not wrong


def ask(page: Page, question: str) -> None:
    """Ask and wait for the reply."""
    before = page.locator(".reply").count()
    page.fill("#question", question)
    page.keyboard.press("Enter")
    expect(page.locator(".reply")).to_have_count(before + 1)
