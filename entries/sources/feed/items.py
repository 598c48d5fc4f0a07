"""From what a feed says of an item to the item; pure."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urljoin

from entries.sources.base import Alias, Invalid, SourceItem
from entries.sources.ids import bounded_id


@dataclass(frozen=True, slots=True)
class Found:
    """One item of a feed, as plain text; empty where the feed is silent.

    ``id`` is as it is written. ``former_ids``: what it was read as before.
    """

    id: str = ""
    link: str = ""
    title: str = ""
    published: str = ""
    updated: str = ""
    author: str = ""
    summary: str = ""
    former_ids: tuple[str, ...] = ()


def items_of(found: Sequence[Found], *, damaged: bool) -> Iterator[SourceItem | Invalid]:
    """Those with something to tell them apart by.

    ``damaged``: some bytes of the feed made no text and are U+FFFD now. An item whose id would
    be made of such is none: it would be another one when the feed is mended.
    """
    shared = _shared_links(found)
    for item in found:
        if not any((item.id, item.link, item.title, item.summary)):
            yield Invalid("without id, link, title and text")
        elif damaged and "\ufffd" in _identity(item):
            yield Invalid("bytes of its id make no text", item.title)
        else:
            yield _item(item, alone=item.link not in shared)


def _item(found: Found, *, alone: bool) -> SourceItem:
    external_id, aliases = _ids(found, alone=alone)
    return SourceItem(
        external_id=external_id,
        title=found.title or found.link,
        payload={
            "url": found.link if is_web_address(found.link) else "",
            "title": found.title,
            "published": found.published,
            "updated": found.updated,
            "author": found.author,
            "summary": found.summary,
        },
        aliases=aliases,
    )


def _ids(found: Found, *, alone: bool) -> tuple[str, tuple[Alias, ...]]:
    """The item's own id, and others that it may be stored under."""
    if found.id:
        return bounded_id(found.id), tuple(Alias(bounded_id(id_)) for id_ in found.former_ids)
    if found.link:
        return _ids_by_link(found, alone=alone)
    # Dates that are read today were not read always.
    undated = [replace(found, published=""), replace(found, updated="")]
    undated.append(replace(found, published="", updated=""))
    own = _digest(found)
    return own, tuple(Alias(id_) for id_ in sorted({*map(_digest, undated)} - {own}))


def _ids_by_link(found: Found, *, alone: bool) -> tuple[str, tuple[Alias, ...]]:
    """The link; of items that share one, the link with what tells them apart.

    What is stored under the link is this item where title and date are the same; of an item that
    has the link for itself one of them is enough, because titles are edited.
    """
    link, own = bounded_id(found.link), bounded_id(f"{found.link}#{_mark(found)}")
    date = {"published": found.published}
    if not found.published:
        date |= {"updated": found.updated}
    undated = {"published": "", "updated": ""}
    if not alone:
        same = ({"title": found.title} | date, {"title": found.title} | undated)
        return own, (Alias(link, same),)
    either = (date, undated, {"title": found.title}) if found.published else ()
    return link, (Alias(own), Alias(link, either))


def _shared_links(found: Iterable[Found]) -> set[str]:
    """Links that are all that more than one item has in the way of an id."""
    marks: dict[str, set[str]] = {}
    for item in found:
        if item.id or item.link:
            marks.setdefault(item.id or item.link, set()).add("" if item.id else _mark(item))
    return {link for link, different in marks.items() if len(different) > 1}


def _identity(found: Found) -> str:
    """All that the item's id is made of."""
    if found.id:
        return found.id
    if found.link:
        return "\0".join((found.link, found.title, found.published or found.updated))
    return "\0".join(_said(found))


def absolute(link: str, base: str) -> str:
    """``link`` as seen from ``base``; what is no address stays what it is."""
    try:
        return urljoin(base, link) if link else ""
    except ValueError:
        return link


def is_web_address(link: str) -> bool:
    """Whether ``link`` may become a link for staff: ``javascript:`` and the like may not."""
    return link[:8].lower().startswith(("http://", "https://"))


def _mark(found: Found) -> str:
    """What tells items with one link apart: title and date, which stay as the feed moves on."""
    said = f"{found.title}\0{found.published or found.updated}"
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _digest(found: Found) -> str:
    """An id from what an item without id and link says; an edited item is then a new one."""
    said = "\0".join(_said(found))
    return f"sha256:{hashlib.sha256(said.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _said(found: Found) -> tuple[str, ...]:
    return (
        *(found.id, found.link, found.title, found.published, found.updated),
        *(found.author, found.summary),
    )
