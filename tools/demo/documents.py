"""The documents of the demo's upstream: its feed, its pages and its front page."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from html import escape
from xml.etree import ElementTree as ET

from tools.demo.behaviour import Behaviour, behaviour
from tools.demo.language import Translate, load_texts

ATOM = "http://www.w3.org/2005/Atom"
# The feed says the same at every start, so a second sync finds nothing new.
FIRST_UPDATE = datetime(2026, 1, 1, tzinfo=UTC)


def update_time(number: int) -> datetime:
    return FIRST_UPDATE + timedelta(minutes=number)


def page_title(number: int) -> str:
    return f"Page {number:03}"


def address(number: int, *, moved: bool) -> str:
    """Return the path of a page; once moved, missing pages have a new one."""
    gone = behaviour(number, broken=False) is Behaviour.GONE
    return f"/moved/{number}" if moved and gone else f"/pages/{number}"


def feed(entries: int, *, base: str, moved: bool = False) -> bytes:
    """Render an Atom feed of the pages 1 to `entries`, newest first."""
    ET.register_namespace("", ATOM)
    root = ET.Element(f"{{{ATOM}}}feed")
    _add(root, "id", f"{base}/feed.atom")
    _add(root, "title", "Demo upstream")
    _add(root, "updated", update_time(entries).isoformat())
    _add(root, "link", rel="self", href=f"{base}/feed.atom")
    for number in range(entries, 0, -1):
        entry = ET.SubElement(root, f"{{{ATOM}}}entry")
        _add(entry, "id", f"tag:upstream.invalid,2026:page-{number}")
        _add(entry, "title", page_title(number))
        _add(entry, "updated", update_time(number).isoformat())
        link = f"{base}{address(number, moved=moved)}"
        _add(entry, "link", rel="alternate", type="text/html", href=link)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode()


def page(title: str, *paragraphs: str) -> bytes:
    body = "".join(f"<p>{escape(text)}</p>" for text in paragraphs)
    return _document(title, f"<h1>{escape(title)}</h1>{body}")


def front_page(
    *, broken: bool, moved: bool, counts: Mapping[Behaviour, int], language: str = "en"
) -> bytes:
    _ = load_texts(language)
    state, path, button = (
        (_('It is <strong class="broken">broken</strong>.'), "/repair", _("Repair it"))
        if broken
        else (_('It is <strong class="repaired">repaired</strong>.'), "/break", _("Break it again"))
    )
    words = {
        Behaviour.WORKS: _("pages answer 200"),
        Behaviour.FAILS: _("pages answer 503"),
        Behaviour.HANGS: _("pages hang until the client gives up"),
        Behaviour.GONE: _(
            "pages answer 404 at the address the entry was stored with, repaired or not"
        ),
    }
    offer = _offer_to_move(_, moved=moved)
    rows = "".join(
        f"<tr><td>{counts[kind]}</td><td>{text}</td></tr>" for kind, text in words.items()
    )
    title = _("Demo upstream")
    return _document(
        title,
        f"<h1>{title}</h1><p>{state}</p>"
        f"<table>{rows}</table>"
        f'<form method="post" action="{path}"><button>{button}</button></form>{offer}'
        '<p><a href="/feed.atom">feed.atom</a> · <a href="/status.json">status.json</a></p>',
        language=language,
    )


def _offer_to_move(_: Translate, *, moved: bool) -> str:
    if not moved:
        move = _("Move the missing pages")
        return f'<form method="post" action="/move"><button>{move}</button></form>'
    text = _(
        'The missing pages <strong class="repaired">have moved</strong>: the feed has their new '
        "addresses. Resync fetches those; Retry uses the old ones."
    )
    return f"<p>{text}</p>"


STYLE = b"""\
body { font: 16px/1.5 system-ui, sans-serif; max-width: 34rem; margin: 3rem auto; padding: 0 1rem;
  color: #1d2430; background: #f7f8fa; }
h1 { font-size: 1.4rem; }
td { padding: .15rem .8rem .15rem 0; }
td:first-child { text-align: right; font-variant-numeric: tabular-nums; font-weight: 600; }
.broken { color: #a4161a; }
.repaired { color: #1b6e3c; }
button { font: inherit; margin: 1rem 0; padding: .5rem 1.2rem; border: 0; border-radius: .4rem;
  background: #1f4f8f; color: #fff; cursor: pointer; }
button:focus-visible { outline: 3px solid #f0b429; outline-offset: 2px; }
@media (prefers-color-scheme: dark) {
  body { color: #e4e8ee; background: #171b22; }
  a { color: #8ab8f5; }
  .broken { color: #ff8a8a; }
  .repaired { color: #7ddba3; }
}
"""


def _document(title: str, body: str, *, language: str = "en") -> bytes:
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title>"
        f'<link rel="stylesheet" href="/style.css"></head><body>{body}</body></html>\n'
    ).encode()


def _add(parent: ET.Element, tag: str, text: str | None = None, **attributes: str) -> None:
    ET.SubElement(parent, f"{{{ATOM}}}{tag}", attributes).text = text
