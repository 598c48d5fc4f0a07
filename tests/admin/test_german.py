"""What entries and their sources say in German, and that what is stored stays English."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.contrib.admin.models import LogEntry
from django.template.loader import render_to_string
from django.utils import timezone, translation

from entries.admin.display import format_badge, format_duration, format_moment
from entries.admin.numbers import format_number
from entries.filters import EntryFilter
from entries.moments import describe_span
from entries.phrases import show
from entries.states import EntryStatus
from retry.models import Action
from retry.operations import control
from tests.admin.browsing import Browser, page_of
from tests.admin.operating import FAILED
from tests.factories.entries import EntryFactory, SourceFactory
from tests.support.asking import SCRIPT

if TYPE_CHECKING:
    from django.contrib.auth.models import User

GERMAN = {"Accept-Language": "de"}


def test_numbers_and_times() -> None:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    with translation.override("de"):
        assert format_number(1234567) == "1.234.567"
        assert format_number(0.46, decimals=1) == "0,5"
        assert format_duration(begin, begin + timedelta(seconds=0.44)) == "0,4 s"
        assert "vor 3 Tagen" in format_moment(timezone.now() - timedelta(days=3, minutes=1))
        assert show(describe_span("1h")) == "1 Stunde"
    assert format_number(1234567) == "1,234,567"
    assert format_duration(begin, begin + timedelta(seconds=0.44)) == "0.4 s"
    assert describe_span("24h") == "24 hours"


def test_a_badge_follows_the_language() -> None:
    """It is kept for the next row, in each language for itself."""
    english = format_badge("failed")
    with translation.override("de"):
        german = format_badge("failed")
    assert [english, german, format_badge("failed")] == [
        '<span class="badge badge-failed">failed</span>',
        '<span class="badge badge-failed">fehlgeschlagen</span>',
        '<span class="badge badge-failed">failed</span>',
    ]


def test_the_words_of_a_filter() -> None:
    chosen = EntryFilter(status=EntryStatus.FAILED, source="news", q="error:x")
    with translation.override("de"):
        assert chosen.words() == "status failed, source news, “x” in the error"
        assert show(chosen.words()) == "Status fehlgeschlagen, Quelle news, „x“ im Fehler"
        assert show(EntryFilter(all=True).words()) == "alle Einträge"


@pytest.mark.django_db
def test_what_is_stored_while_a_page_is_german_is_english(admin_user: "User") -> None:
    EntryFactory.create_batch(2, failed=True)
    browser = Browser(admin_user, headers=GERMAN)
    source = SourceFactory.create(kind="feed", location="https://example.com/feed")
    fields = {"name": "Nachrichten", "slug": source.slug, "kind": "feed", "entry_kind": "page"}
    form = fields | {"location": source.location, "options": "{}", "enabled": "on"}
    assert browser.post(page_of(source), form).status_code == 302
    assert "Changed" in LogEntry.objects.get().get_change_message()
    with translation.override("de"):
        started = control.start(FAILED, action=Action.RETRY, actor=SCRIPT)
    started.refresh_from_db()
    assert started.selection_words == "status failed"


@pytest.mark.django_db
def test_a_form_says_in_german_what_is_wrong(admin_user: "User") -> None:
    browser = Browser(admin_user, headers=GERMAN)
    form = {"slug": "a", "url": "ftp://example.com", "secret": "kurz"}
    page = browser.post("/admin/entries/endpoint/add/", form).content.decode()
    assert "Nur vollständige URLs mit http oder https werden abgerufen, nicht ftp." in page
    assert "Ein Geheimnis beginnt mit whsec_." in page


@pytest.mark.django_db
def test_the_error_of_a_source_is_shown_in_german(admin_user: "User") -> None:
    source = SourceFactory.create(last_error="the file has more than 1,000 rows")
    page = Browser(admin_user, headers=GERMAN).read("/admin/entries/source/")
    assert "die Datei hat mehr als 1.000 Zeilen" in page
    source.refresh_from_db()
    assert source.last_error == "the file has more than 1,000 rows"


def test_an_outage_is_explained_in_german() -> None:
    """Its page has no request, and is rendered while one is answered."""
    with translation.override("de"):
        page = render_to_string("redrive/outage.html", {"outage": "database_away"})
    assert '<html lang="de">' in page
    assert "Die Datenbank ist nicht erreichbar." in page
