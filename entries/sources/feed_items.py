"""From what a feed says of an item to the item; pure."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from urllib.parse import urljoin

from entries.sources.base import SourceItem
from entries.sources.ids import bounded_id
from entries.sources.items import Sieve


@dataclass(frozen=True, slots=True)
class Found:
    """One item of a feed, as plain text; empty where the feed is silent."""

    id: str = ""
    link: str = ""
    title: str = ""
    published: str = ""
    updated: str = ""
    author: str = ""
    summary: str = ""


def items_of(found: Iterable[Found], sieve: Sieve) -> Iterator[SourceItem]:
    """Those with something to tell them apart by; the others are counted."""
    for item in found:
        if any((item.id, item.link, item.title, item.summary)):
            yield _item(item)
        else:
            sieve.leave_out("without id, link, title and text")


def _item(found: Found) -> SourceItem:
    return SourceItem(
        external_id=bounded_id(found.id or found.link or _digest(found)),
        title=found.title or found.link,
        payload={
            "url": found.link if is_web_address(found.link) else "",
            "title": found.title,
            "published": found.published,
            "updated": found.updated,
            "author": found.author,
            "summary": found.summary,
        },
    )


def absolute(link: str, base: str) -> str:
    """``link`` as seen from ``base``; what is no address stays what it is."""
    try:
        return urljoin(base, link) if link else ""
    except ValueError:
        return link


def is_web_address(link: str) -> bool:
    """Whether ``link`` may become a link for staff: ``javascript:`` and the like may not."""
    return link[:8].lower().startswith(("http://", "https://"))


def _digest(found: Found) -> str:
    """An id from what an item without id and link says; an edited item is then a new one."""
    said = "\0".join(astuple(found))
    return f"sha256:{hashlib.sha256(said.encode('utf-8', 'surrogatepass')).hexdigest()}"
