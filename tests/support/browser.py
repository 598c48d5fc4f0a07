"""A real Chromium, as the system has it; none is ever downloaded.

Whatever goes wrong on a page fails the test that was looking at it: errors on the console, errors
of scripts, requests that fail or are refused, and what the content policy blocks.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tools.chromium import ARGUMENTS, NAMES, find_chromium

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

_MISSING = f"No Chromium on the PATH ({', '.join(NAMES)}): the browser's stories were not told."
_SAID = pytest.StashKey[bool]()

#: Reported on the console, where everything else that fails a test is reported.
_LISTEN = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`blocked by ${event.violatedDirective}: ${event.blockedURI} ${event.sample}`);
});
"""


def executable() -> str:
    """Where Chromium is. Skips the test without one, or fails it where ``REQUIRE_BROWSER`` is 1."""
    found = find_chromium()
    if found:
        return found
    if os.environ.get("REQUIRE_BROWSER") == "1":
        pytest.fail(_MISSING)
    pytest.skip(_MISSING)


def pytest_terminal_summary(terminalreporter: "TerminalReporter") -> None:
    """Say in red what was skipped for want of a browser; a line among the skips is overlooked."""
    stash = terminalreporter.config.stash
    skipped = [r for r in terminalreporter.stats.get("skipped", []) if _MISSING in str(r.longrepr)]
    if skipped and not stash.get(_SAID, False):
        stash[_SAID] = True
        terminalreporter.section("browser", red=True, bold=True)
        terminalreporter.line(f"{_MISSING} {len(skipped)} tests skipped.", red=True, bold=True)


@contextmanager
def chromium() -> Iterator[Browser]:
    path = executable()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


class Visitor:
    """Somebody in front of a browser, with cookies of their own."""

    def __init__(self, browser: Browser, base_url: str, **options: Any) -> None:
        self._base_url = base_url
        self.context: BrowserContext = browser.new_context(base_url=base_url, **options)
        self.context.add_init_script(_LISTEN)
        self.context.set_default_timeout(10_000)
        self.complaints: list[str] = []
        self.page: Page = self.context.new_page()
        self._watch(self.page)

    def come_back(self, session: str) -> None:
        """With the cookie of a log-in that was earlier, which costs a page less."""
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session, "url": self._base_url}
        self.context.add_cookies([cookie])  # type: ignore[list-item]
        self.page.goto("/admin/")
        self.page.get_by_role("heading", name="The desk").wait_for()

    def log_in(self, username: str, password: str) -> None:
        self.page.goto("/admin/")
        self.page.get_by_label("Username").fill(username)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Log in").click()
        self.page.get_by_role("heading", name="The desk").wait_for()

    def close(self) -> None:
        """Raises AssertionError with everything that went wrong on the way."""
        self.context.close()
        assert not self.complaints, "\n".join(self.complaints)

    def _watch(self, page: Page) -> None:
        page.on("console", lambda message: self._heard(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        page.on("requestfailed", lambda request: self._failed(request.url, request.failure))
        page.on("response", lambda response: self._answered(response.status, response.url))

    def _heard(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.complaints.append(f"console: {text}")

    def _failed(self, url: str, failure: str | None) -> None:
        # A page that is left takes its unanswered requests along.
        if failure != "net::ERR_ABORTED":
            self.complaints.append(f"request: {url} {failure}")

    def _answered(self, status: int, url: str) -> None:
        if status >= 400:
            self.complaints.append(f"answer: {status} {url}")
