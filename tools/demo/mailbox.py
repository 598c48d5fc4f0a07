"""The demo's mailbox: python -m tools.demo.mailbox --port N --folder DIR.

It shows the mails that Django's file backend has written to the folder, and takes webhooks as a
chat does. It listens on 127.0.0.1 only.
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from html import escape, unescape
from http import HTTPStatus
from pathlib import Path

from tools.http_server import Answer, Request, listen, serve

#: What the page shows; older ones stay in the folder.
MOST = 100
#: Between two messages in a file of the backend, which writes those of one process into one.
_RULE = b"-" * 79
_STYLE = b"""
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; }
article { border: 1px solid color-mix(in srgb, currentcolor 25%, transparent); border-radius: 6px;
  padding: .5rem 1rem; margin-block: 1rem; }
h2 { font-size: 1rem; margin: .25rem 0; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; margin: .5rem 0; }
small { opacity: .8; }
"""


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail or a webhook; ``at`` sorts them."""

    at: float
    how: str
    subject: str
    text: str


class Mailbox:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def answer(self, request: Request) -> Answer:
        if request.method == "POST" and request.path == "/hooks":
            return self._take(request)
        if request.path == "/style.css":
            return Answer(body=_STYLE, content_type="text/css", close=True)
        if request.path == "/":
            return Answer(body=self._render(), headers={"Refresh": "5"}, close=True)
        return Answer(status=HTTPStatus.NOT_FOUND, body=b"Nothing is here.")

    def _take(self, request: Request) -> Answer:
        """Keep a webhook; one that is delivered again replaces itself."""
        name = request.headers.get("webhook-id", "")
        if not name.replace("-", "").isalnum():
            return Answer(status=HTTPStatus.BAD_REQUEST, body=b"A webhook-id is needed.")
        (self._folder / f"{name[:100]}.json").write_bytes(request.body)
        return Answer(body=b"ok", content_type="text/plain")

    def read(self) -> list[Letter]:
        """Read the newest letters, the newest first."""
        mails = (mail for path in self._folder.glob("*.log") for mail in _read_mails(path))
        hooks = (_read_hook(path) for path in self._folder.glob("*.json"))
        found = sorted([*mails, *hooks], key=lambda letter: letter.at, reverse=True)
        return found[:MOST]

    def _render(self) -> bytes:
        letters = self.read()
        parts = "".join(
            f"<article><small>{escape(letter.how)}</small><h2>{escape(letter.subject)}</h2>"
            f"<pre>{escape(letter.text)}</pre></article>"
            for letter in letters
        )
        blank = "<p>Nothing has arrived. Something has to happen first.</p>"
        page = (
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Mailbox</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            '<link rel="icon" href="data:,">'
            '<link rel="stylesheet" href="/style.css"></head><body><main><h1>Mailbox</h1>'
            f"{parts or blank}</main></body></html>\n"
        )
        return page.encode()


def _read_mails(path: Path) -> Iterator[Letter]:
    at = path.stat().st_mtime
    for number, part in enumerate(path.read_bytes().split(_RULE)):
        if not part.strip():
            continue
        mail = message_from_bytes(part.lstrip(), policy=policy.default)
        body = mail.get_body()
        text = str(body.get_content()) if body is not None else ""
        yield Letter(at + number / 1e6, f"Mail to {mail['To']}", str(mail["Subject"]), text)


def _read_hook(path: Path) -> Letter:
    at, body = path.stat().st_mtime, path.read_text()
    with contextlib.suppress(ValueError, AttributeError):
        said = json.loads(body)
        return Letter(at, "Webhook", str(said.get("subject")), unescape(str(said.get("text"))))
    return Letter(at, "Webhook", "(no notice)", body[:1000])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.demo.mailbox", description=__doc__)
    parser.add_argument("--port", type=int, default=8002)
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    mailbox = Mailbox(options.folder)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(mailbox.answer, listen(options.port)))


if __name__ == "__main__":
    main()
