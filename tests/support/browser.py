"""A real Chromium, as the system has it; none is ever downloaded.

Whatever goes wrong on a page fails the test that was looking at it: errors on the console, errors
of scripts, requests that fail or are refused, and what the content policy blocks.
"""

import os
from collections import defaultdict
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


class Contexts:
    """A browser's contexts, each of which serves one visitor after the other.

    A blank page stays open in each: to begin with a context, and to end with its last page, was
    half of what a story costs.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._free: defaultdict[str, list[BrowserContext]] = defaultdict(list)

    def take(self, **options: Any) -> BrowserContext:
        if free := self._free[repr(options)]:
            return free.pop()
        context = self._browser.new_context(**options)
        context.add_init_script(_LISTEN)
        context.set_default_timeout(10_000)
        context.new_page()
        return context

    def give_back(self, context: BrowserContext, **options: Any) -> None:
        """Nothing is left in it of who had it. ``options`` are those with which it was taken."""
        blank, *pages = context.pages
        session = context.new_cdp_session(blank)
        kept = {"origin": options["base_url"], "storageTypes": "local_storage,indexeddb"}
        session.send("Storage.clearDataForOrigin", kept)
        session.detach()
        context.clear_cookies()
        for page in pages:
            page.close()
        self._free[repr(options)].append(context)


#: What a page can have without a context of its own.
_OF_PAGES = {"viewport", "color_scheme"}


class Visitor:
    """Somebody in front of a browser, with cookies of their own."""

    def __init__(self, contexts: Contexts, base_url: str, **options: Any) -> None:
        self._contexts, self._base_url = contexts, base_url
        own = {name: value for name, value in options.items() if name not in _OF_PAGES}
        self._options = {"base_url": base_url, **own}
        self.context: BrowserContext = contexts.take(**self._options)
        self.complaints: list[str] = []
        self.page: Page = self.context.new_page()
        if viewport := options.get("viewport"):
            self.page.set_viewport_size(viewport)
        if scheme := options.get("color_scheme"):
            self.page.emulate_media(color_scheme=scheme)
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
        self._contexts.give_back(self.context, **self._options)
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
