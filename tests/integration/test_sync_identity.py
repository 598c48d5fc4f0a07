"""Which entry an item is: by the id it is written with, and by what it was known under before."""

from collections.abc import Iterator
from typing import Any

import pytest

from entries.models import Entry, Source
from entries.sources.base import Alias, SourceItem
from entries.sources.sync.aliases import settle
from entries.sources.sync.full_sync import NOT_WHOLE
from entries.sources.sync.lookup import read_some
from entries.sources.sync.report import SyncReport
from tests.factories.entries import EntryFactory, SourceFactory
from tests.support.feeds import atom, rss, rss_item
from tests.support.http import LocalServer
from tests.support.syncing import gone_ids, sync

pytestmark = pytest.mark.django_db(transaction=True)

LINK = "http://n.example/status"


class Feed:
    """A source, and what it says from now on."""

    def __init__(self, server: LocalServer) -> None:
        self._server = server
        self.source = SourceFactory.create(slug="news", kind="feed", location=server.url("/feed"))

    def says(self, text: str | bytes) -> SyncReport:
        self._server.answer("/feed", text)
        return sync(self.source)

    def titles(self) -> dict[str, str]:
        """Of what is there, by id."""
        there = Entry.objects.filter(source=self.source, gone_at=None)
        return dict(there.order_by("id").values_list("external_id", "title"))


@pytest.fixture
def feed(settings: Any) -> Iterator[Feed]:
    settings.REDRIVE_ALLOW_PRIVATE_ADDRESSES = True
    with LocalServer() as server:
        yield Feed(server)


def counts(report: SyncReport) -> tuple[int, int, int, int]:
    return (report.created, report.updated, report.unchanged, report.gone)


def incident(day: int, title: str = "", *, link: str = LINK) -> str:
    date = f"<pubDate>0{day} Jan 2024 10:00:00 GMT</pubDate>" if day else ""
    return f"<item><title>{title or f'Incident {day}'}</title><link>{link}</link>{date}</item>"


class TestOneLinkForMany:
    def test_they_are_different_and_stay_so_as_the_feed_moves_on(self, feed: Feed) -> None:
        assert counts(feed.says(rss(incident(1) + incident(2) + incident(3)))) == (3, 0, 0, 0)
        ids = {title: id_ for id_, title in feed.titles().items()}
        assert len(ids) == 3
        assert all(id_.startswith(f"{LINK}#") for id_ in ids.values())
        assert counts(feed.says(rss(incident(3) + incident(2)))) == (0, 0, 2, 1)
        assert counts(feed.says(rss(incident(3)))) == (0, 0, 1, 1), "alone, and still itself"
        assert counts(feed.says(rss(incident(4) + incident(3)))) == (1, 0, 1, 0)
        assert feed.titles()[ids["Incident 3"]] == "Incident 3"

    def test_one_that_was_alone_keeps_its_id_when_others_come(self, feed: Feed) -> None:
        feed.says(rss(incident(1)))
        assert list(feed.titles()) == [LINK]
        assert counts(feed.says(rss(incident(2) + incident(1)))) == (1, 0, 1, 0)
        assert feed.titles()[LINK] == "Incident 1"
        assert counts(feed.says(rss(incident(2)))) == (0, 0, 1, 1)
        assert counts(feed.says(rss(incident(3)))) == (1, 0, 0, 1), "another date, another item"
        assert LINK not in feed.titles()

    def test_an_edited_title_is_the_same_item(self, feed: Feed) -> None:
        feed.says(rss(incident(1, "Draft") + incident(0, "Other", link="http://n.example/2")))
        edited = incident(1, "Final") + incident(0, "Better", link="http://n.example/2")
        assert counts(feed.says(rss(edited))) == (0, 2, 0, 0)
        assert feed.titles() == {LINK: "Final", "http://n.example/2": "Better"}

    def test_the_same_item_twice_is_one(self, feed: Feed) -> None:
        assert counts(feed.says(rss(incident(1) * 2))) == (1, 0, 0, 0)
        assert list(feed.titles()) == [LINK]

    def test_a_date_that_could_not_be_read_before_changes_nothing(self, feed: Feed) -> None:
        feed.says(rss(incident(1)))
        entry = Entry.objects.get()
        entry.payload["published"] = ""
        entry.content_hash = ""
        entry.save()
        assert counts(feed.says(rss(incident(1)))) == (0, 1, 0, 0)
        assert list(feed.titles()) == [LINK]

    def test_a_resync_finds_each_under_the_id_it_has(self, feed: Feed) -> None:
        feed.says(rss(incident(1)))
        feed.says(rss(incident(2) + incident(1)))
        found = {item.external_id: item for item in read_some(feed.source, feed.titles())}
        assert found.keys() == feed.titles().keys()
        item = found[LINK]
        assert isinstance(item, SourceItem)
        assert item.title == "Incident 1"


class TestIdsAsWritten:
    ENTRY = "<entry><id>posts/1</id><title>One</title><link href='posts/1'/></entry>"

    def based(self, base: str) -> str:
        return atom(self.ENTRY).replace("<feed ", f'<feed xml:base="{base}" ')

    def test_another_base_is_the_same_entry(self, feed: Feed) -> None:
        feed.says(self.based("http://b.example/"))
        assert counts(feed.says(self.based("https://b.example/"))) == (0, 1, 0, 0)
        assert list(feed.titles()) == ["posts/1"]

    @pytest.mark.parametrize("base", ["http://b.example/", "https://b.example/"])
    def test_one_known_as_an_address_is_not_doubled(self, feed: Feed, base: str) -> None:
        EntryFactory.create(source=feed.source, external_id="http://b.example/posts/1")
        assert counts(feed.says(self.based(base))) == (0, 1, 0, 0)
        assert list(feed.titles()) == ["http://b.example/posts/1"]
        (found,) = read_some(feed.source, ["http://b.example/posts/1"])
        assert isinstance(found, SourceItem)


def test_a_bad_byte_changes_no_id_and_makes_nothing_gone(feed: Feed) -> None:
    items = [rss_item("größe", title="Größe"), rss_item(2), rss_item(3)]
    feed.says(rss("".join(items)))
    items.append(rss_item(4, title="Caf?"))
    report = feed.says(rss("".join(items)).encode().replace(b"?<", b"\xc3<"))
    assert counts(report) == (1, 0, 3, 0)
    assert "bytes that are not valid utf-8" in report.notes[0]
    assert feed.titles()["id-4"] == "Caf\ufffd"
    report = feed.says(rss("".join(items[:3])).encode().replace("größe<".encode(), b"gr\xf6\xdfe<"))
    assert counts(report) == (0, 0, 2, 0)
    assert report.invalid == 1
    assert report.notes[-1] == NOT_WHOLE
    assert gone_ids() == []
    assert counts(feed.says(rss("".join(items)))) == (0, 1, 3, 0)


class TestSettling:
    @pytest.fixture
    def source(self) -> Source:
        source: Source = SourceFactory.create(slug="news")
        for id_, payload in (("a", {"v": "1"}), ("b", {"v": "2", "w": "x"})):
            EntryFactory.create(source=source, external_id=id_, payload=payload)
        return source

    @pytest.mark.parametrize(
        ("own", "aliases", "right"),
        [
            ("n", (), "n"),
            ("a", (Alias("b"),), "a"),
            ("n", (Alias("m"), Alias("b"), Alias("a")), "b"),
            ("n", (Alias("b", ({"v": "1"}, {"v": "2"})),), "b"),
            ("n", (Alias("b", ({"v": "2", "w": "y"},)),), "n"),
            ("a", (Alias("m"), Alias("a", ({"v": "1"},))), "a"),
            ("a", (Alias("m"), Alias("a", ({"v": "2"},))), "m"),
            ("n", (Alias("m"), Alias("n", ({"v": "2"},))), "n"),
            ("a", (Alias("b"), Alias("a")), "b"),
        ],
    )
    def test_under_which_id(
        self, source: Source, own: str, aliases: tuple[Alias, ...], right: str
    ) -> None:
        EntryFactory.create(source=SourceFactory.create(slug="other"), external_id="m")
        (item,) = settle(source.pk, [SourceItem(own, "", {}, aliases)])
        assert (item.external_id, item.aliases) == (right, ())
