"""The history of syncs, the page of one, and the ways to ask for one."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from entries.models import Entry, Source
from retry import queue
from retry.audit import REFUSED
from retry.models import AuditEvent, Sync
from tests.admin.browsing import ENTRIES, Browser, page_of, text_of
from tests.conftest import grant
from tests.factories.entries import EntryFactory, SourceFactory
from tests.support.syncing import everything_but_syncs, now_has, numbered, synced, work_off

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)

SOURCES = "/admin/entries/source/"
SYNCS = "/admin/retry/sync/"
UGLY = "<script>alert(1)</script>"


def made(**fields: Any) -> Sync:
    source = fields.pop("source", None) or SourceFactory.create(slug="planet", name="Planet")
    return Sync.objects.create(
        source=source, actor_label="alice", channel="admin", **{"state": "queued", **fields}
    )


def live(sync: Sync, **query: str) -> str:
    words = "&".join(f"{name}={value}" for name, value in query.items())
    return f"{SYNCS}{sync.pk}/live/?{words}"


def test_the_button_leads_to_the_page_of_the_sync(at_desk: Browser) -> None:
    source = SourceFactory.create(slug="planet")
    page = at_desk.read(page_of(source))
    assert "Sync now" in page
    assert "Dry run" in page
    answer = at_desk.post(f"{SOURCES}{source.pk}/sync/", {"reason": "news"})
    sync = Sync.objects.get()
    assert answer["Location"] == page_of(sync)
    assert (sync.dry_run, sync.reason, sync.actor_label) == (False, "news", "operator")
    words = text_of(at_desk.read(page_of(sync)))
    assert "Waiting for a worker." in words
    assert "Requested by operator" in words


def test_a_dry_run_shows_what_would_change_and_offers_the_sync(at_desk: Browser) -> None:
    source = numbered(3)
    synced(source)
    now_has(source, **{"from": 2, "to": 4, "changed_every": 3, "known_invalid": "x"})
    at_desk.post(f"{SOURCES}{source.pk}/dry-run/")
    sync = Sync.objects.first()
    assert sync is not None
    assert sync.dry_run
    before = everything_but_syncs()
    work_off()
    assert everything_but_syncs() == before
    page = at_desk.read(page_of(sync))
    words = text_of(page)
    assert "Nothing was changed. This is what a sync would have done." in words
    assert "1 would be new" in words
    assert "1 would be gone" in words
    assert "1 item left out: not a row" in words
    assert "item-3 Item 3 changed revision 1 2" in words
    assert f'action="{SOURCES}{source.pk}/sync/"' in page, "and then for real"
    assert "hx-get" not in page, "there is nothing to wait for"


def test_those_who_may_not_see_syncs_come_back_to_the_source(reader: "User") -> None:
    browser = Browser(grant(reader, "entries.view_source", "entries.sync_source"))
    source = SourceFactory.create(slug="planet")
    assert "Latest syncs" not in browser.read(page_of(source))
    answer = browser.post(f"{SOURCES}{source.pk}/dry-run/")
    assert answer["Location"] == page_of(source)
    (said,) = browser.messages_after(answer)
    assert said == "Dry run of planet requested. It starts when a worker is free."


def test_whoever_presses_twice_gets_the_same(at_desk: Browser) -> None:
    source = SourceFactory.create(slug="planet")
    for _ in range(2):
        at_desk.post(f"{SOURCES}{source.pk}/sync/")
    assert Sync.objects.count() == 1
    assert queue.count_jobs(["sync"]) == {"sync": 1}
    Sync.objects.update(state="running")
    assert at_desk.press(f"{SOURCES}{source.pk}/sync/")[-1] == "Sync of planet is already running."


def test_a_disabled_source_cannot_be_asked(at_desk: Browser) -> None:
    source = SourceFactory.create(slug="planet", enabled=False)
    assert "Sync now" not in at_desk.read(page_of(source))
    (said,) = at_desk.press(f"{SOURCES}{source.pk}/sync/")
    assert said == "The source 'planet' is disabled; enable it first."
    other = SourceFactory.create(slug="other")
    said_all = at_desk.select([source.pk, other.pk], action="sync_selected", url=SOURCES)
    assert len(said_all) == 2
    assert Sync.objects.get().source == other


def test_asking_needs_its_permission_and_post(reader: "User", at_desk: Browser) -> None:
    source = SourceFactory.create()
    for verb in ("sync", "dry-run"):
        url = f"{SOURCES}{source.pk}/{verb}/"
        assert at_desk.get(url).status_code == 405
        assert Browser(grant(reader, "entries.view_source")).post(url).status_code == 403
    assert not Sync.objects.exists()
    assert not AuditEvent.objects.exclude(verb=REFUSED).exists()


class TestLive:
    def test_it_is_asked_for_while_it_runs_and_answers_what_is_new(self, at_desk: Browser) -> None:
        sync = made(state="running", total=10, created=3, started_at=timezone.now())
        page = at_desk.read(page_of(sync))
        assert f'hx-get="{SYNCS}{sync.pk}/live/?seen=' in page
        seen = page.partition("live/?seen=")[2].partition('"')[0]
        assert at_desk.get(live(sync, seen=seen)).status_code == 204
        Sync.objects.update(created=7)
        fresh = at_desk.read(live(sync, seen=seen))
        assert "of 10: 7 new" in fresh
        assert "hx-get" in fresh
        assert 'id="verbs"' not in fresh

    def test_it_stops_when_it_is_over_and_says_so(self, at_desk: Browser) -> None:
        sync = made(state="running")
        Sync.objects.update(state="succeeded", unchanged=5, ended_at=timezone.now())
        fresh = at_desk.read(live(sync, seen="running.0"))
        assert "hx-get" not in fresh
        assert "The sync has succeeded." in fresh
        assert "Sync now" in fresh

    def test_it_needs_its_permission(self, reader: "User", at_desk: Browser) -> None:
        sync = made()
        assert Browser(reader).get(live(sync)).status_code == 403
        assert at_desk.get(f"{SYNCS}404/live/").status_code == 404
        assert at_desk.post(live(sync)).status_code == 405


def test_an_error_is_said_and_whatever_comes_from_outside_is_text(at_desk: Browser) -> None:
    row = {"external_id": UGLY, "title": UGLY, "what": "updated"}
    change = {"key": UGLY, "before": UGLY, "after": UGLY}
    bad = made(state="failed", error_code="malformed", error=f"broken {UGLY}", notes=[UGLY])
    dry = made(
        source=bad.source,
        state="succeeded",
        dry_run=True,
        reason=UGLY,
        notes=[UGLY],
        sample=[row | {"changes": [change]}],
    )
    for url in (page_of(bad), page_of(dry), page_of(bad.source), SYNCS):
        page = at_desk.read(url)
        assert UGLY not in page
        assert "alert(1)" in page
    assert "(malformed)" in text_of(at_desk.read(page_of(bad)))


def test_the_list_says_what_was_found_and_is_filtered(at_desk: Browser) -> None:
    good = made(state="succeeded", created=1_200, gone=3)
    other = SourceFactory.create(slug="other", name="Other")
    made(source=other, state="failed", error_code="unreachable", error="no route")
    made(source=other, state="succeeded", not_modified=True)
    words = text_of(at_desk.read(SYNCS))
    assert "Sync of Planet" in words
    assert "1,200 new, 3 gone" in words
    assert "unreachable no route" in words
    assert "not modified" in words
    only = text_of(at_desk.read(f"{SYNCS}?source=planet"))
    assert f"#{good.pk} Sync of Planet" in only
    assert "Sync of Other" not in only
    assert "Sync of Planet" not in text_of(at_desk.read(f"{SYNCS}?state=failed"))
    assert "No sync matches" in at_desk.read(f"{SYNCS}?state=running")


def test_the_empty_list_says_what_a_sync_is(at_desk: Browser) -> None:
    assert "No syncs yet" in at_desk.read(SYNCS)


def test_the_history_cannot_be_written(chief: "User") -> None:
    sync = made(state="succeeded")
    browser = Browser(chief)
    assert browser.get(f"{SYNCS}add/").status_code == 403
    assert browser.post(page_of(sync), {"state": "failed"}).status_code == 403
    assert browser.post(page_of(sync, "delete"), {"post": "yes"}).status_code == 403
    assert Sync.objects.get().state == "succeeded"


class TestSourcePage:
    def test_it_shows_the_last_syncs(self, at_desk: Browser) -> None:
        source = SourceFactory.create()
        assert "This source has not been synced yet." in at_desk.read(page_of(source))
        for count in range(7):
            made(source=source, state="succeeded", created=count + 1)
        words = text_of(at_desk.read(page_of(source)))
        assert "7 new" in words
        assert "3 new" in words
        assert "2 new" not in words

    def test_an_interval_is_kept_and_says_when(self, editor: "User") -> None:
        source = SourceFactory.create(slug="planet")
        browser = Browser(editor)
        assert "only on request" in text_of(browser.read(page_of(source)))
        form = {
            "name": "Planet",
            "slug": "planet",
            "kind": "feed",
            "options": "{}",
            "location": "https://planet.example/",
            "entry_kind": "page",
            "enabled": "on",
        }
        browser.press(page_of(source), **form, sync_interval="600")
        source.refresh_from_db()
        assert (source.sync_interval, source.next_sync_at) == (600, None)
        assert "due now" in text_of(browser.read(page_of(source)))
        Source.objects.update(next_sync_at=timezone.now() + timedelta(hours=2.5))
        assert "in 2 h" in text_of(browser.read(page_of(source)))
        browser.press(page_of(source), **form, sync_interval="60")
        assert Source.objects.get().next_sync_at is None, "the new one begins at once"
        answer = browser.post(page_of(source), form | {"sync_interval": "9"})
        assert answer.context["errors"]
        Source.objects.update(enabled=False)
        assert "none while the source is disabled" in text_of(browser.read(page_of(source)))


class TestGone:
    def test_it_is_marked_in_the_list_and_on_the_page(self, at_desk: Browser) -> None:
        gone = EntryFactory.create(gone_at=timezone.now())
        there = EntryFactory.create()
        assert at_desk.read(ENTRIES).count("badge-gone") == 1
        assert "Gone from its source since" in at_desk.read(page_of(gone))
        assert "Gone from its source since" not in at_desk.read(page_of(there))

    def test_it_is_filtered(self, at_desk: Browser) -> None:
        gone = EntryFactory.create(gone_at=timezone.now(), failed=True)
        EntryFactory.create(failed=True)
        lists = {
            value: at_desk.get(f"{ENTRIES}?gone={value}").context["cl"].result_list
            for value in ("yes", "no", "maybe")
        }
        shown = {value: [entry.pk for entry in found] for value, found in lists.items()}
        assert shown["yes"] == [gone.pk]
        assert len(shown["no"]) == 1
        assert gone.pk not in shown["no"]
        assert len(shown["maybe"]) == Entry.objects.count() == 2
