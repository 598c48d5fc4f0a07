"""The demo's upstream: python -m tools.demo.upstream --port N --entries N.

A small site that is broken until a POST to `/repair`. A POST to `/move` gives the missing pages new
addresses in the feed. It takes webhooks as well; those for billing are refused. It listens on
127.0.0.1 only.
"""

import argparse
import asyncio
import contextlib
import hashlib
import json
import os
import signal
from collections.abc import Mapping
from dataclasses import replace
from email.utils import format_datetime, parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from tools.demo import documents
from tools.demo.behaviour import Behaviour, behaviour, tally
from tools.demo.language import choose_language
from tools.http_server import HOST, Answer, Request, listen, serve

# Longer than any client of the demo waits.
HANG_SECONDS = 30.0
#: The changes that a POST to each path makes.
CHANGES: Mapping[str, Mapping[str, bool]] = {
    "/repair": {"broken": False},
    "/break": {"broken": True},
    "/move": {"moved": True},
}
#: The receivers of webhooks, and what they answer.
HOOKS: Mapping[str, Answer] = {
    "/hooks/crm": Answer(body=b'{"accepted": true}\n', content_type="application/json"),
    "/hooks/billing": Answer(
        status=HTTPStatus.UNPROCESSABLE_ENTITY,
        body=b'{"error": "there is no such customer"}\n',
        content_type="application/json",
    ),
}
NOT_FOUND = Answer(
    status=HTTPStatus.NOT_FOUND, body=documents.page("Not found", "Nothing is here.")
)
BROKEN = Answer(
    status=HTTPStatus.SERVICE_UNAVAILABLE,
    body=documents.page("Service unavailable", "Broken on purpose; see the front page."),
)


class Upstream:
    """The site: what it answers, and whether it is broken, which `state` remembers."""

    def __init__(
        self,
        *,
        port: int,
        entries: int,
        state: Path | None = None,
        hang_seconds: float = HANG_SECONDS,
        verbose: bool = False,
    ) -> None:
        self.entries = entries
        self.hang_seconds = hang_seconds
        self._base = f"http://{HOST}:{port}"
        self._verbose = verbose
        self._state = state
        self.broken, self.moved = _load_state(state)
        self._publish()

    def answer(self, request: Request) -> Answer:
        answer = self._change(request) if request.method == "POST" else self._get(request)
        if self._verbose:
            print(f"{request.method} {request.path} {answer.status:d}", flush=True)
        return answer

    def _publish(self) -> None:
        self.feed = documents.feed(self.entries, base=self._base, moved=self.moved)
        self.etag = f'"{hashlib.sha256(self.feed).hexdigest()[:16]}"'
        # A changed feed also has a new date.
        self.last_modified = documents.update_time(self.entries + int(self.moved))

    def _switch(self, *, broken: bool | None = None, moved: bool | None = None) -> None:
        self.broken = self.broken if broken is None else broken
        if moved is not None:
            self.moved = moved
            self._publish()
        if self._state is not None:
            scratch = self._state.with_name(f"{self._state.name}.new")
            scratch.write_text(json.dumps({"broken": self.broken, "moved": self.moved}))
            scratch.replace(self._state)

    def _change(self, request: Request) -> Answer:
        change = CHANGES.get(request.path)
        if change is None:
            return HOOKS.get(request.path, NOT_FOUND)
        self._switch(**change)
        if "text/html" in request.headers.get("accept", ""):
            return Answer(status=HTTPStatus.SEE_OTHER, headers={"Location": "/"})
        return self._show_status()

    def _get(self, request: Request) -> Answer:
        match request.path.split("/")[1:]:
            case ["pages", number]:
                return self._show_page(_parse_number(number))
            case ["moved", number]:
                return self._show_moved_page(_parse_number(number))
            case ["feed.atom"]:
                return self._show_feed(request)
            case [""]:
                return self._show_front_page(request)
        others = {
            "/status.json": self._show_status,
            "/style.css": _show_style,
        }
        show = others.get(request.path)
        return show() if show else NOT_FOUND

    def _show_page(self, number: int) -> Answer:
        if not 1 <= number <= self.entries:
            return NOT_FOUND
        match behaviour(number, broken=self.broken):
            case Behaviour.WORKS:
                text = documents.page(documents.page_title(number), "Everything works here.")
                return Answer(body=text)
            case Behaviour.HANGS:
                return replace(BROKEN, after=self.hang_seconds, close=True)
            case Behaviour.GONE:
                return NOT_FOUND
            case Behaviour.FAILS:
                return BROKEN

    def _show_moved_page(self, number: int) -> Answer:
        has_moved = self.moved and behaviour(number, broken=False) is Behaviour.GONE
        if not has_moved or not 1 <= number <= self.entries:
            return NOT_FOUND
        return Answer(body=documents.page(documents.page_title(number), "It has moved here."))

    def _show_feed(self, request: Request) -> Answer:
        headers = {
            "ETag": self.etag,
            "Last-Modified": format_datetime(self.last_modified, usegmt=True),
        }
        if self._is_unchanged(request):
            return Answer(status=HTTPStatus.NOT_MODIFIED, headers=headers)
        kind = "application/atom+xml; charset=utf-8"
        return Answer(body=self.feed, content_type=kind, headers=headers)

    def _is_unchanged(self, request: Request) -> bool:
        """Compare validators; by RFC 9110, 13.2.2, the date counts only without an entity tag."""
        known = request.headers.get("if-none-match")
        if known is not None:
            tags = {tag.strip().removeprefix("W/") for tag in known.split(",")}
            return not tags.isdisjoint({"*", self.etag})
        with contextlib.suppress(TypeError, ValueError):
            since = parsedate_to_datetime(request.headers.get("if-modified-since", ""))
            return self.last_modified <= since
        return False

    def _show_front_page(self, request: Request) -> Answer:
        page = documents.front_page(
            broken=self.broken,
            moved=self.moved,
            counts=tally(self.entries, broken=self.broken),
            language=choose_language(request.headers.get("accept-language", "")),
        )
        return Answer(body=page)

    def _show_status(self) -> Answer:
        status: dict[str, Any] = {
            "broken": self.broken,
            "moved": self.moved,
            "entries": self.entries,
            "pages": tally(self.entries, broken=self.broken),
        }
        body = json.dumps(status).encode() + b"\n"
        return Answer(body=body, content_type="application/json")


def _show_style() -> Answer:
    return Answer(body=documents.STYLE, content_type="text/css")


def _parse_number(text: str) -> int:
    """Return the number of a page; 0, which no page has, for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _load_state(state: Path | None) -> tuple[bool, bool]:
    """Return whether it is broken, and whether the missing pages have moved."""
    if state is None or not state.exists():
        return True, False
    stored = json.loads(state.read_text())
    return bool(stored["broken"]), bool(stored.get("moved", False))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.demo.upstream", description=__doc__)
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--entries", type=int, default=500)
    parser.add_argument("--state", type=Path, metavar="FILE", help="remembers whether it is broken")
    parser.add_argument("--verbose", action="store_true", help="print each request")
    options = parser.parse_args()
    # At once: no client is waited for.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    listener = listen(options.port)  # first: who comes while the feed is made has to wait, no more
    upstream = Upstream(**vars(options))
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(upstream.answer, listener))


if __name__ == "__main__":
    main()
