"""Times are shown and typed in the zone of the browser, which a cookie names."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict
from django.utils import timezone

from retry import service
from retry.admin.desk.front import format_begin
from retry.models import AuditEvent, Hold, Run
from retry.outcome_history.series import Period
from tests.admin.browsing import ENTRIES, Browser, page_of, text_of
from tests.admin.operating import failed, started, url_of
from tests.conftest import grant
from tests.factories.entries import EntryFactory
from tests.support.asking import SCRIPT
from tests.support.moments import change_status_at

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db

HOLDS = "/admin/retry/hold/"
#: In Berlin the clocks go from 2:00 to 3:00 on that day, and back from 3:00 to 2:00 on the other.
SPRING, AUTUMN = "2099-03-29", "2099-10-25"


@pytest.fixture
def keeper(operator: "User") -> Browser:
    more = ("retry.view_hold", "retry.manage_hold", "retry.view_operation")
    return Browser(grant(operator, *more))


def move(browser: Browser, zone: str) -> None:
    browser.cookies["time_zone"] = zone


def hold_until(browser: Browser, ends_at: str, **more: str) -> datetime:
    """Type when a hold ends; return when it does."""
    Hold.objects.update(lifted_at=timezone.now())
    browser.press(f"{HOLDS}put/", kind="page", ends_at=ends_at, **more)
    found = Hold.objects.get(lifted_at=None).ends_at
    assert found is not None
    return found.astimezone(UTC)


def test_a_page_is_in_the_zone_of_its_reader(keeper: Browser, settings: "Settings") -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    entry = EntryFactory.create(failed=True)
    at = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
    change_status_at(entry, at)
    for zone, shown in (
        ("", "2026-07-01 21:00 JST"),
        ("Europe/Berlin", "2026-07-01 14:00 CEST"),
        ("America/New_York", "2026-07-01 08:00 EDT"),
        ("Asia/Kathmandu", "2026-07-01 17:45 +0545"),
        ("Moon/Tycho", "2026-07-01 21:00 JST"),
        ("../../etc/passwd", "2026-07-01 21:00 JST"),
    ):
        move(keeper, zone)
        page = keeper.read(page_of(entry))
        assert f">{shown}</time>" in page, zone
        assert f"{shown} ( " in text_of(page), "how long ago stands beside it"


def test_the_page_of_one_record_says_when_exactly(chief: "User") -> None:
    service.retry_entries(failed(1), actor=SCRIPT)
    browser = Browser(chief)
    move(browser, "Asia/Tokyo")
    for record in (Run.objects.get(), AuditEvent.objects.get()):
        assert " JST</time>" in browser.read(page_of(record))


def test_the_api_does_not_look_at_the_cookie(keeper: Browser) -> None:
    entry = EntryFactory.create(failed=True)
    before = keeper.get(f"/admin/api/entries/{entry.pk}").content
    move(keeper, "Asia/Tokyo")
    assert keeper.get(f"/admin/api/entries/{entry.pk}").content == before


def test_an_export_is_the_same_in_every_zone(keeper: Browser, operator: "User") -> None:
    EntryFactory.create(failed=True)
    exporter = Browser(grant(operator, "entries.export_entry"))
    files = []
    for zone in ("UTC", "Asia/Tokyo"):
        move(exporter, zone)
        answer = exporter.post(f"{ENTRIES}export/", {"format": "csv"})
        files.append(b"".join(answer.streaming_content))  # type: ignore[attr-defined]
    assert files[0] == files[1]
    assert files[0].count(b"\n") == 2


@pytest.mark.parametrize(
    ("zone", "typed", "utc"),
    [
        ("Europe/Berlin", f"{SPRING}T01:30", f"{SPRING}T00:30"),
        ("Europe/Berlin", f"{SPRING}T03:30", f"{SPRING}T01:30"),
        ("Europe/Berlin", f"{AUTUMN}T01:30", "2099-10-24T23:30"),
        ("Europe/Berlin", f"{AUTUMN}T03:30", f"{AUTUMN}T02:30"),
        ("America/New_York", f"{AUTUMN}T03:30", f"{AUTUMN}T07:30"),
    ],
)
def test_what_is_typed_is_in_that_zone(keeper: Browser, zone: str, typed: str, utc: str) -> None:
    move(keeper, zone)
    assert zone in keeper.read(HOLDS), "the form says which"
    assert hold_until(keeper, typed).isoformat()[:16] == utc


@pytest.mark.parametrize("typed", [f"{SPRING}T02:30", f"{AUTUMN}T02:30"])
def test_a_time_that_does_not_exist_or_exists_twice_is_refused(keeper: Browser, typed: str) -> None:
    move(keeper, "Europe/Berlin")
    (said,) = keeper.press(f"{HOLDS}put/", kind="page", ends_at=typed)
    assert "Nothing was changed." in said
    assert not Hold.objects.exists()


def test_a_form_counts_in_the_zone_that_it_names(keeper: Browser) -> None:
    """The page may have been opened before the browser told its zone, or in another country."""
    page = keeper.read(HOLDS)
    assert '<input type="hidden" name="time_zone" value="UTC">' in page
    move(keeper, "America/New_York")
    at = hold_until(keeper, "2099-01-31T12:00", time_zone="UTC")
    assert at == datetime(2099, 1, 31, 12, tzinfo=UTC)
    at = hold_until(keeper, "2099-01-31T12:00", time_zone="Moon/Tycho")
    assert at == datetime(2099, 1, 31, 17, tzinfo=UTC)


def test_the_start_of_an_operation(keeper: Browser) -> None:
    failed(2)
    operation = started(start_at=datetime(2099, 7, 1, 12, tzinfo=UTC))
    move(keeper, "Europe/Berlin")
    page = keeper.read(url_of(operation))
    assert 'value="2099-07-01T14:00"' in page
    assert "Start at (Europe/Berlin)" in text_of(page)
    assert "Starts 2099-07-01 14:00 CEST ( in " in text_of(page)
    keeper.post(url_of(operation, "reschedule"), {"start_at": "2099-01-01T14:00"})
    operation.refresh_from_db()
    assert operation.start_at == datetime(2099, 1, 1, 13, tzinfo=UTC)


def test_a_range_of_failures(keeper: Browser) -> None:
    move(keeper, "Europe/Berlin")
    assert "Times in Europe/Berlin" in text_of(keeper.read(ENTRIES))
    for more, at in (
        ({}, "2026-03-29T03:30:00+02:00"),
        ({"time_zone": "UTC"}, "2026-03-29T03:30:00+00:00"),
    ):
        answer = keeper.get(ENTRIES, {"from": "2026-03-29T03:30", "to": "", **more})
        query = QueryDict(answer["Location"].partition("?")[2])
        assert query.dict() == {"failed_after": at, "status": "failed"}
    page = keeper.read(f"{ENTRIES}?{query.urlencode()}")
    assert 'name="from" value="2026-03-29T05:30"' in page
    assert "2026-03-29 05:30" in text_of(page), "the chip"


def test_bars_say_when_they_begin(settings: "Settings") -> None:
    midnight = datetime(2026, 11, 29, tzinfo=UTC)
    for zone, day, hour in (
        ("UTC", "29 Nov", "29 Nov 00:00"),
        ("America/New_York", "28 Nov 19:00", "28 Nov 19:00"),
        ("Asia/Kolkata", "29 Nov 05:30", "29 Nov 05:30"),
    ):
        with timezone.override(ZoneInfo(zone)):
            assert format_begin(midnight, Period.MONTH) == day
            assert format_begin(midnight, Period.DAY) == hour


def test_a_zone_ends_with_its_request(keeper: Browser) -> None:
    move(keeper, "Asia/Tokyo")
    hold_until(keeper, (timezone.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M"))
    assert timezone.get_current_timezone_name() == "UTC"
