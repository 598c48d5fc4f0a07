"""Sources: what is checked when one is written down, and having one synced."""

import re
from typing import TYPE_CHECKING, Any

import pytest

from entries.models import Source
from retry import queue
from retry.models import AuditEvent, Sync
from tests.admin.browsing import Browser, page_of, text_of
from tests.conftest import grant
from tests.factories.entries import EntryFactory, SourceFactory

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)

SOURCES = "/admin/entries/source/"


def form(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Planet",
        "slug": "planet",
        "kind": "feed",
        "location": "https://planet.example/atom",
        "options": "{}",
        "entry_kind": "page",
        "enabled": "on",
    } | changes


def test_a_source_is_added_with_kinds_from_the_registries(editor: "User") -> None:
    browser = Browser(editor)
    page = browser.read(f"{SOURCES}add/")
    assert '<option value="feed">' in page
    assert '<option value="scripted">' in page
    options = re.search(r'<textarea name="options"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    assert options is not None
    assert options[1].strip() == "{}"
    browser.press(f"{SOURCES}add/", **form())
    source = Source.objects.get()
    assert (source.slug, source.kind, source.entry_kind) == ("planet", "feed", "page")


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "gopher"},
        {"entry_kind": "nonsense"},
        {"options": "[]"},
        {"options": "{"},
        {"slug": "not a slug"},
        {"location": ""},
        {"location": "javascript:alert(1)"},
    ],
)
def test_what_makes_no_sense_is_not_stored(changes: dict[str, str], editor: "User") -> None:
    answer = Browser(editor).post(f"{SOURCES}add/", form(**changes))
    assert answer.status_code == 200
    assert answer.context["errors"]
    assert not Source.objects.exists()


def test_a_kind_that_is_gone_has_to_be_replaced(editor: "User") -> None:
    source = SourceFactory.create(entry_kind="gone")
    browser = Browser(editor)
    answer = browser.post(page_of(source), form(entry_kind="gone"))
    assert answer.context["errors"]
    browser.press(page_of(source), **form())
    assert Source.objects.get().entry_kind == "page"


def test_sources_are_not_deleted(chief: "User") -> None:
    source = SourceFactory.create()
    EntryFactory.create(source=source)
    browser = Browser(chief)
    assert "deletelink" not in browser.read(page_of(source))
    assert browser.post(page_of(source, "delete"), {"post": "yes"}).status_code == 403


def test_the_list_says_how_the_last_sync_went(at_desk: Browser) -> None:
    SourceFactory.create(name="Planet", last_error="unreachable: refused")
    words = text_of(at_desk.read(SOURCES))
    assert "Sync failed: unreachable: refused" in words
    assert "never" in words


def test_those_who_may_only_look_see_a_source(reader: "User") -> None:
    source = SourceFactory.create(name="Planet")
    browser = Browser(grant(reader, "entries.view_source"))
    page = browser.read(page_of(source))
    assert "Planet" in page
    assert "Sync now" not in page
    assert "Sync selected" not in browser.read(SOURCES)


def test_the_button_asks_for_a_sync(at_desk: Browser) -> None:
    source = SourceFactory.create(slug="planet")
    assert "Sync now" in at_desk.read(page_of(source))
    said = at_desk.press(f"{SOURCES}{source.pk}/sync/")
    assert said == ["Sync of planet requested. It starts when a worker is free."]
    assert queue.count_jobs(["sync"]) == {"sync": 1}
    assert AuditEvent.objects.get().verb == "request_sync"


def test_the_list_asks_for_several(at_desk: Browser) -> None:
    sources = SourceFactory.create_batch(2)
    said = at_desk.select([s.pk for s in sources], action="sync_selected", url=SOURCES)
    assert len(said) == 2
    assert queue.count_jobs(["sync"]) == {"sync": 2}


def test_without_redis_a_sync_is_accepted_and_it_says_so(
    at_desk: Browser, redis_away: None
) -> None:
    source = SourceFactory.create(slug="planet")
    assert at_desk.press(f"{SOURCES}{source.pk}/sync/") == [
        "Sync of planet requested. It starts when a worker is free.",
        "Redis cannot be reached: it will start by itself when Redis is back.",
    ]
    assert Sync.objects.get().dispatches == 0


def test_syncing_needs_its_permission_and_post(reader: "User", at_desk: Browser) -> None:
    source = SourceFactory.create()
    url = f"{SOURCES}{source.pk}/sync/"
    assert at_desk.get(url).status_code == 405
    looker = Browser(grant(reader, "entries.view_source"))
    assert looker.post(url).status_code == 403
    form = {"_selected_action": [source.pk], "action": "sync_selected", "index": "0"}
    assert looker.post(SOURCES, form).status_code == 200
    assert queue.count_jobs(["sync"]) == {"sync": 0}


def test_a_sync_of_nothing_or_with_a_bad_reason_is_refused(at_desk: Browser) -> None:
    assert at_desk.post(f"{SOURCES}404/sync/").status_code == 404
    source = SourceFactory.create()
    (said,) = at_desk.press(f"{SOURCES}{source.pk}/sync/", reason="x" * 501)
    assert said.startswith("The reason is not valid")
    assert not AuditEvent.objects.exists()
