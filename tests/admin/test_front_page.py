"""The front page: the sentence, the plot, what breaks, what goes on, and who sees what of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from entries.filters import EntryFilter
from entries.states import EntryStatus
from retry.admin.desk import parts
from retry.holds import control as holds
from retry.models import Action, AuditEvent, Heartbeat, Operation, Run, Sync
from retry.operations import control
from retry.operations.pace import Pace
from retry.operations.selection import Selection
from retry.outcomes import Actor, Channel
from tests.admin.browsing import ENTRIES, Browser, text_of
from tests.conftest import grant
from tests.factories.entries import EntryFactory, SourceFactory
from tests.support.asking import SCRIPT
from tests.support.counts import append, fail
from tests.support.hiding import only_source
from tests.support.outages import UPSTREAM, add_history, add_outage

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db

FRONT, LIVE = "/admin/", "/admin/retry/desk/"
PREVIEW = "/admin/retry/operation/preview/"


@pytest.fixture
def keeper(operator: "User") -> Browser:
    """Who may see and hold everything, and look at operations and the audit."""
    more = ("retry.view_hold", "retry.manage_hold", "retry.view_operation", "retry.view_auditevent")
    return Browser(grant(operator, *more))


def shown(browser: Browser) -> str:
    return text_of(browser.read(LIVE))


def test_the_sentence_says_what_is_not_usual_and_what_to_do(keeper: Browser) -> None:
    add_history()
    since = add_outage()
    page = keeper.read(FRONT)
    words = text_of(page)
    assert f"740 failed attempts since {since:%H:%M} (usual: 4 an hour)." in words
    assert f"Mostly: HTTP 503 from {UPSTREAM}." in words
    assert f'href="{ENTRIES}?status=failed&amp;fingerprint=1-503"' in page
    (message,) = keeper.press("/admin/retry/hold/put/", kind="page", upstream=UPSTREAM)
    assert "is on hold" in message
    page = keeper.read(FRONT)
    assert 'id="headline-hold"' not in page, "at once"
    assert 'id="headline-held"' in page


def test_where_nothing_usually_fails_it_says_so(at_desk: Browser) -> None:
    since = add_outage()
    assert f"740 failed attempts since {since:%H:%M} (usually none)." in shown(at_desk)


def test_what_is_under_way_says_whose_it_is_and_when_it_starts(keeper: Browser) -> None:
    EntryFactory.create(failed=True)
    later = timezone.now() + timedelta(hours=5, minutes=1)
    for reason, pace in (("at once", Pace()), ("tonight", Pace(start_at=later))):
        control.start(
            Selection(filter=EntryFilter(status=EntryStatus.FAILED)),
            action=Action.RETRY,
            actor=SCRIPT,
            reason=reason,
            pace=pace,
        )
    words = shown(keeper)
    assert f"starts in 5 h · {SCRIPT.label} · tonight" in words
    assert f"not started · {SCRIPT.label} · at once" in words


def test_an_upstream_on_hold_is_not_offered_again(keeper: Browser) -> None:
    add_outage()
    holds.hold_kind("page", UPSTREAM, actor=SCRIPT)
    page = keeper.read(LIVE)
    assert '<button id="headline-hold"' not in page
    assert 'id="headline-held"' in page


def test_without_failures_it_says_so(at_desk: Browser) -> None:
    words = shown(at_desk)
    assert "Nothing failed in the last 24 hours." in words
    assert "Nothing has succeeded or failed in this time." in words
    assert "No entry is failed." in words


def test_while_nothing_is_counted_it_does_not_say_that_nothing_failed(
    at_desk: Browser, chief: "User"
) -> None:
    append(fail("boom"))
    words = shown(at_desk)
    assert "Nothing failed" not in words
    assert "Nothing is counted yet, because no dispatcher has run." in words
    at = timezone.now() - timedelta(minutes=30)
    beat = Heartbeat.objects.create(
        name="dispatcher", host="h", pid=1, started_at=at, beat_at=at, last_tick={}
    )
    cache.clear()
    words = shown(at_desk)
    assert "Nothing failed" not in words
    assert f"Counts stand still since {at:%H:%M} , because no dispatcher runs." in words
    add_history(usual=2)
    cache.clear()
    words = shown(at_desk)
    assert "not more than usual. Counts stand still since" in words
    beat.beat_at = timezone.now()
    beat.save()
    cache.clear()
    assert "Counts stand still" not in shown(at_desk), "the next tick counts it"


def test_hidden_outcomes_do_not_stand_still(at_desk: Browser) -> None:
    SourceFactory.create(slug="mine")
    append(fail("boom"), source_id=SourceFactory.create(slug="theirs").pk)
    with only_source("mine"):
        assert "Nothing failed in the last 24 hours." in shown(at_desk)


def test_what_is_usual_is_no_alarm(at_desk: Browser) -> None:
    add_history(usual=2)
    words = shown(at_desk)
    assert "failed attempts in the last 24 hours, not more than usual." in words
    assert "since" not in words


def test_each_bucket_leads_to_what_failed_in_its_time(at_desk: Browser) -> None:
    add_history()
    buckets = at_desk.get(FRONT).context["buckets"]
    page = at_desk.read(FRONT)
    expected = EntryFilter(
        status=EntryStatus.FAILED, failed_after=buckets[5].begin, failed_before=buckets[5].end
    )
    links = [part.split('"')[0].replace("&amp;", "&") for part in page.split('href="')[1:]]
    queries = [parse_qs(urlsplit(link).query) for link in links if "failed_before" in link]
    assert {name: str(value) for name, value in expected.parameters().items()} in [
        {name: values[0] for name, values in query.items()} for query in queries
    ]


@pytest.mark.parametrize(("period", "rows"), [("24h", 24), ("7d", 28), ("30d", 30), ("x", 24)])
def test_a_period_is_chosen_and_kept_by_the_poll(at_desk: Browser, period: str, rows: int) -> None:
    add_history()
    answer = at_desk.get(FRONT, {"period": period})
    assert len(answer.context["buckets"]) == rows
    known = period if rows != 24 else "24h"
    assert f'hx-get="{LIVE}?period={known}"' in answer.content.decode()
    assert answer.content.decode().count('<th scope="row"><time') == rows, "the table says the same"


def test_groups_are_the_largest_first_with_the_verb_that_fits(keeper: Browser) -> None:
    add_outage()
    page = keeper.read(FRONT)
    words = text_of(page)
    assert "30 failed: TransientError HTTP 503" in words
    assert words.index("HTTP 503 127") < words.index("HTTP 404 127") < words.index("took longer")
    assert f"{PREVIEW}?action=retry&amp;status=failed&amp;fingerprint=1-503" in page
    assert f"{PREVIEW}?action=resync&amp;status=failed&amp;fingerprint=1-404" in page
    assert page.count('class="sparkline"') == 3


def test_what_failed_before_there_were_counts_is_shown(keeper: Browser) -> None:
    EntryFactory.create_batch(2, failed=True)
    words = shown(keeper)
    assert "2 failed: TransientError HTTP 503" in words


def test_verbs_are_for_those_who_may(reader: "User") -> None:
    add_outage()
    page = Browser(reader).read(FRONT)
    assert "HTTP 503" in page
    assert PREVIEW not in page
    assert "headline-hold" not in page
    for part in ("Under way", "Engine", "Lately", "Sources"):
        assert part not in text_of(page).replace("Entries Setup", "").split("Setup")[0]


def test_who_may_see_nothing_finds_only_the_setup(powerless: "User") -> None:
    add_outage()
    words = text_of(Browser(powerless).read(FRONT))
    assert "HTTP 503" not in words
    assert "failures" not in words
    assert "Setup" in words


def test_what_is_hidden_is_not_counted(reader: "User") -> None:
    mine, other = SourceFactory.create(slug="mine"), SourceFactory.create(slug="other")
    EntryFactory.create(source=mine)
    EntryFactory.create(source=other)
    add_outage(other)
    with only_source("mine"):
        words = shown(Browser(reader))
    assert "Nothing failed in the last 24 hours." in words
    assert "No entry is failed." in words
    assert "503" not in words


def test_operations_under_way_say_how_far_they_are(keeper: Browser, chief: "User") -> None:
    add_outage()
    operation = control.start(
        Selection(filter=EntryFilter(status=EntryStatus.FAILED, fingerprint="1-503")),
        action=Action.RETRY,
        actor=Actor.from_user(chief, channel=Channel.ADMIN),
        reason="INC-42",
    )
    now = timezone.now()
    Run.objects.filter(operation=operation).update(
        state="running", lease_expires_at=now, succeeded=12, failed=3, started_at=now
    )
    Operation.objects.update(state="running", started_at=now)
    words = shown(keeper)
    assert "Retry 30 entries running" in words
    assert "50 %" in words
    assert "INC-42" in words
    assert "chief start retry" in words, "the audit has it as well"


def test_the_last_sync_of_each_source_and_the_failed_ones_first(keeper: Browser) -> None:
    for slug, state, error in (("good", "succeeded", ""), ("bad", "failed", "HTTP 500")):
        source = SourceFactory.create(slug=slug, name=f"The {slug}")
        for _ in range(2):
            Sync.objects.create(source=source, state=state, error=error, actor_label="a")
    words = shown(keeper)
    assert words.index("The bad failed") < words.index("The good")
    assert words.count("The good") == 1


def test_the_system_itself_is_not_in_lately(keeper: Browser) -> None:
    for label, channel in (("dispatcher", "system"), ("anna", "admin")):
        AuditEvent.objects.create(verb="wake", actor_label=label, channel=channel, count=3)
    words = shown(keeper)
    assert "anna wake 3" in words
    assert "dispatcher wake" not in words


def test_with_redis_and_dispatcher_away_it_says_what_it_knows(
    keeper: Browser, redis_away: None
) -> None:
    add_outage()
    at = timezone.now() - timedelta(minutes=5)
    Heartbeat.objects.create(name="dispatcher", host="h", pid=1, started_at=at, beat_at=at)
    words = shown(keeper)
    assert "740 failed attempts since" in words
    assert "Redis cannot be reached" in words
    assert "Dispatcher not reporting" in words


@contextmanager
def slow(monkeypatch: pytest.MonkeyPatch, name: str) -> Iterator[None]:
    """While it lasts, one part takes longer than its time."""
    read = parts.read_part

    def slow_down(*args: object, **options: object) -> object:
        if options["name"] == name:
            options["read"] = args[0] if args else options["read"]
            args = (lambda: connection.cursor().execute("SELECT pg_sleep(5)"),)
            del options["read"]
        return read(*args, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr("retry.admin.desk.front.read_part", slow_down)
        yield


@pytest.mark.parametrize("name", ["groups", "headline", "series.24h", "under_way", "events"])
def test_a_part_that_takes_too_long_leaves_the_others_alone(
    keeper: Browser, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    add_outage()
    monkeypatch.setattr(parts, "BUDGET_SECONDS", 0.3)
    with slow(monkeypatch, name):
        words = shown(keeper)
    assert words.count("This could not be read in time.") == 1
    assert "44 failed" in words


def test_reading_it_costs_the_same_however_much_fails(
    keeper: Browser, django_assert_max_num_queries: object
) -> None:
    add_outage(size=300)
    with django_assert_max_num_queries(140):  # type: ignore[operator]
        keeper.read(LIVE)
