"""Source items and their ids, from what feeds say; pure."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urljoin

from entries.sources.base import Alias, Invalid, SourceItem
from entries.sources.ids import shorten_id


@dataclass(frozen=True, slots=True)
class FeedItem:
    """One item of a feed as plain text; empty where the feed says nothing.

    ``id`` is as it is written. ``former_ids``: how earlier versions of Redrive read it.
    """

    id: str = ""
    link: str = ""
    title: str = ""
    published: str = ""
    updated: str = ""
    author: str = ""
    summary: str = ""
    former_ids: tuple[str, ...] = ()


def build_items(found: Sequence[FeedItem], *, damaged: bool) -> Iterator[SourceItem | Invalid]:
    """Yield an item for each that can be identified, and an ``Invalid`` for the others.

    ``damaged``: some bytes of the feed could not be decoded and are U+FFFD. An item whose id would
    contain one is invalid: it would get another id once the feed is repaired.
    """
    shared = _find_shared_links(found)
    for item in found:
        if not any((item.id, item.link, item.title, item.summary)):
            yield Invalid("without id, link, title and text")
        elif damaged and "\ufffd" in _identity(item):
            yield Invalid("its id has bytes that cannot be decoded", item.title)
        else:
            yield _item(item, alone=item.link not in shared)


def _item(found: FeedItem, *, alone: bool) -> SourceItem:
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


def _ids(found: FeedItem, *, alone: bool) -> tuple[str, tuple[Alias, ...]]:
    """Return the item's own id, and others that it may be stored under."""
    if found.id:
        return shorten_id(found.id), tuple(Alias(shorten_id(id_)) for id_ in found.former_ids)
    if found.link:
        return _ids_by_link(found, alone=alone)
    # Some dates that are read now were not read by earlier versions.
    undated = [replace(found, published=""), replace(found, updated="")]
    undated.append(replace(found, published="", updated=""))
    own = _digest(found)
    return own, tuple(Alias(id_) for id_ in sorted({*map(_digest, undated)} - {own}))


def _ids_by_link(found: FeedItem, *, alone: bool) -> tuple[str, tuple[Alias, ...]]:
    """Return the link; where items share it, the link with a hash of title and date.

    The entry under the bare link is this item where title and date are the same; where no other
    item has the link, one of the two is enough, because titles are edited.
    """
    link, own = shorten_id(found.link), shorten_id(f"{found.link}#{_hash_title(found)}")
    date = {"published": found.published}
    if not found.published:
        date |= {"updated": found.updated}
    undated = {"published": "", "updated": ""}
    if not alone:
        same = ({"title": found.title} | date, {"title": found.title} | undated)
        return own, (Alias(link, same),)
    either = (date, undated, {"title": found.title}) if found.published else ()
    return link, (Alias(own), Alias(link, either))


def _find_shared_links(found: Iterable[FeedItem]) -> set[str]:
    """Return the links that more than one item without an id has."""
    marks: dict[str, set[str]] = {}
    for item in found:
        if item.id or item.link:
            marks.setdefault(item.id or item.link, set()).add("" if item.id else _hash_title(item))
    return {link for link, different in marks.items() if len(different) > 1}


def _identity(found: FeedItem) -> str:
    """Return all text that the item's id is made of."""
    if found.id:
        return found.id
    if found.link:
        return "\0".join((found.link, found.title, found.published or found.updated))
    return "\0".join(_list_fields(found))


def absolute(link: str, base: str) -> str:
    """Resolve ``link`` against ``base``; what is not an address stays as it is."""
    try:
        return urljoin(base, link) if link else ""
    except ValueError:
        return link


def is_web_address(link: str) -> bool:
    """Say whether ``link`` may become a link for staff: ``javascript:`` and the like may not."""
    return link[:8].lower().startswith(("http://", "https://"))


def _hash_title(found: FeedItem) -> str:
    """Hash title and date, which tell items with the same link apart."""
    text = f"{found.title}\0{found.published or found.updated}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _digest(found: FeedItem) -> str:
    """Return an id for an item without id and link; once edited, it counts as another item."""
    text = "\0".join(_list_fields(found))
    return f"sha256:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _list_fields(found: FeedItem) -> tuple[str, ...]:
    return (
        *(found.id, found.link, found.title, found.published, found.updated),
        *(found.author, found.summary),
    )
