"""``manage.py sync``."""

import io

import pytest
from django.core.management import CommandError, call_command

from entries.models import Entry, Source
from entries.states import EntryStatus
from retry.models import Sync
from tests.support.feeds import rss, rss_item, rss_of
from tests.support.http import LocalServer
from tests.support.syncing import everything_but_syncs, now_has, numbered

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def news(server: LocalServer) -> Source:
    return Source.objects.create(slug="news", kind="feed", location=server.url("/news"))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def run(*arguments: str, out: io.StringIO | None = None) -> str:
    stdout = out or io.StringIO()
    call_command("sync", *arguments, stdout=stdout, stderr=stdout, no_color=True)
    return stdout.getvalue()


def test_it_stores_and_queues(server: LocalServer, news: Source) -> None:
    server.answer("/news", rss_of(range(1_200)))
    assert run("news").splitlines() == [
        "news: 1,000 of 1,200 stored",
        "news: 1,200 of 1,200 stored",
        "news: 1,200 new, 0 changed, 0 as before, 0 gone, 0 invalid; 1,200 queued",
    ]
    assert set(Entry.objects.values_list("status", flat=True)) == {EntryStatus.QUEUED}


def test_it_stores_without_queueing_where_asked(server: LocalServer, news: Source) -> None:
    server.answer("/news", rss_of([1]))
    said = run("news", "--no-submit")
    assert (
        "news: 1 new, 0 changed, 0 as before, 0 gone, 0 invalid; none queued (--no-submit)" in said
    )
    assert Entry.objects.get().status == EntryStatus.PENDING


def test_it_passes_on_the_notes(server: LocalServer, news: Source) -> None:
    server.answer("/news", rss(rss_item(1) * 3))
    assert "news: 2 items left out: the id is repeated" in run("news")


def test_a_bar_on_a_terminal(server: LocalServer, news: Source) -> None:
    server.answer("/news", rss_of([1]))
    shown = run("news", out=Terminal())
    assert "1/1" in shown
    assert shown.endswith("news: 1 new, 0 changed, 0 as before, 0 gone, 0 invalid; 1 queued\n")
    assert "of 1 stored" not in shown


def test_not_modified(server: LocalServer, news: Source) -> None:
    server.answer("/news", rss_of([1]), headers={"ETag": '"v"'})
    run("news")
    server.answer("/news", status=304)
    assert run("news") == "news: not modified since the last sync\n"


def test_all_goes_on_after_an_error_and_still_fails(server: LocalServer, news: Source) -> None:
    server.answer("/news", "<html/>")
    other = Source.objects.create(slug="other", kind="feed", location=server.url("/other"))
    Source.objects.create(slug="off", kind="feed", location=server.url("/off"), enabled=False)
    server.answer("/other", rss_of([1]))
    out = io.StringIO()
    with pytest.raises(CommandError, match=r"^Could not sync news\.$"):
        run("--all", out=out)
    assert "news: the document is <html>, not a feed (not_a_feed)" in out.getvalue()
    assert "other: 1 new" in out.getvalue()
    assert "off" not in out.getvalue()
    assert other.entries.count() == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Name the sources to sync, or give --all."),
        (["news", "--all"], "Name the sources to sync, or give --all."),
        (["nope", "news"], "There is no source nope. Known sources: news."),
    ],
)
def test_slips_of_the_pen(news: Source, arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    assert str(caught.value) == message


FOUND = "1 new, 1 changed, 1 as before, 1 gone, 1 invalid"


def test_a_dry_run_says_what_would_change_and_changes_nothing() -> None:
    source = numbered(3)
    run("numbers")
    now_has(source, **{"from": 2, "to": 4, "changed_every": 3, "known_invalid": "x"})
    before = everything_but_syncs()
    assert run("numbers", "--dry-run").splitlines() == [
        "numbers: 4 of 3 compared",
        f"numbers: {FOUND}; dry run, nothing was changed",
        "numbers: 1 item left out: not a row",
        "  created item-4 Item 4",
        "  updated item-3 Item 3 (revision: 1 -> 2)",
        "  gone item-1 Item 1",
    ]
    assert everything_but_syncs() == before
    assert f"numbers: {FOUND}; 1 queued" in run("numbers")


def test_it_stands_in_the_history() -> None:
    numbered(1, fail_at=1)
    with pytest.raises(CommandError):
        run("numbers")
    row = Sync.objects.get()
    assert (row.state, row.error_code, row.channel) == ("failed", "unreachable", "command")
    assert row.actor_label.startswith("manage.py sync (")
