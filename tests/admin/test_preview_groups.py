"""The preview's error groups: each can be left out, and a forecast says how long the rest takes."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from entries.models import Entry
from retry.models import Operation, Run, WorkerHeartbeat
from retry.operations import breakdown
from tests.admin.browsing import Browser, text_of
from tests.admin.operating import PREVIEW, failed, finish, started
from tests.factories.entries import EntryFactory
from tests.support.counting import slowed_down

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db(transaction=True)

FAILED = f"{PREVIEW}?action=retry&status=failed"
NUMBERS = f"{PREVIEW}numbers/?action=retry&status=failed"


@pytest.fixture
def groups() -> None:
    EntryFactory.create_batch(
        4, failed=True, kind="grouped", fingerprint="1-a", error_message="HTTP 503"
    )
    EntryFactory.create_batch(
        2, failed=True, kind="grouped", fingerprint="1-b", error_message="HTTP 404"
    )


def form_of(browser: Browser, url: str = FAILED) -> dict[str, Any]:
    context = browser.get(url).context
    form = context["form"]
    values = {name: value for name in form.fields if (value := form[name].value()) is not None}
    shown = [group.fingerprint for group in context["breakdown"].groups]
    return values | {"group": shown, "take": shown}


def worker_of(queue: str) -> None:
    WorkerHeartbeat.objects.create(
        name=queue, queue=queue, host="desk", pid=1, state="idle", started_at=Now(), beat_at=Now()
    )


def test_it_lists_what_would_be_taken(foreman: Browser, groups: None) -> None:
    EntryFactory.create_batch(3, queued=True, fingerprint="1-c")
    words = text_of(foreman.read(FAILED))
    assert "4 " in words
    assert "HTTP 503" in words
    assert "HTTP 404" in words
    assert words.index("HTTP 503") < words.index("HTTP 404"), "the largest first"


def test_what_is_unticked_is_left_out_of_the_selection(foreman: Browser, groups: None) -> None:
    form = form_of(foreman) | {"take": ["1-b"]}
    foreman.post(FAILED, form)
    operation = Operation.objects.get()
    assert operation.selection == {"filter": {"status": "failed", "exclude_fingerprints": ["1-a"]}}
    assert operation.selection_words == "status failed, fingerprint not 1-a"
    assert operation.total == 2
    finish(operation)
    assert Entry.objects.filter(fingerprint="1-a", status="failed").count() == 4


def test_all_ticked_nothing_is_left_out(foreman: Browser, groups: None) -> None:
    foreman.post(FAILED, form_of(foreman))
    assert Operation.objects.get().selection == {"filter": {"status": "failed"}}


def test_with_every_group_unticked_nothing_is_started(foreman: Browser, groups: None) -> None:
    answer = foreman.post(FAILED, form_of(foreman) | {"take": []})
    assert not Operation.objects.exists()
    assert "No operation was started" in text_of(answer.content.decode())
    assert answer.context["left_out"] == ("1-a", "1-b")


def test_the_numbers_follow_the_ticks(foreman: Browser, groups: None) -> None:
    page = foreman.read(f"{NUMBERS}&group=1-a&group=1-b&take=1-a&rate_per_second=2")
    words = text_of(page)
    assert "4 will be retried" in words
    assert "About 2 s at 2/s" in words
    assert "Retry 4 entries" in words
    assert 'hx-swap-oob="true"' in page


def test_an_address_may_leave_out_groups_that_can_be_chosen_again(
    foreman: Browser, groups: None
) -> None:
    page = foreman.get(f"{FAILED}&exclude_fingerprints=1-a")
    assert page.context["found"].eligible == 2
    assert [g.fingerprint for g in page.context["breakdown"].groups] == ["1-a", "1-b"]
    form = form_of(foreman, f"{FAILED}&exclude_fingerprints=1-a")
    foreman.post(f"{FAILED}&exclude_fingerprints=1-a", form)
    assert Operation.objects.get().total == 6


def test_everything_but_a_group(foreman: Browser, groups: None) -> None:
    url = f"{PREVIEW}?action=retry&all=true"
    foreman.post(url, form_of(foreman, url) | {"take": ["1-b"], "every": "on"})
    operation = Operation.objects.get()
    assert operation.selection == {"filter": {"all": True, "exclude_fingerprints": ["1-a"]}}


def test_what_failed_in_an_operation_by_group(foreman: Browser) -> None:
    failed(3, do="fail")
    first = started()
    finish(first)
    [fingerprint] = set(Entry.objects.values_list("fingerprint", flat=True))
    url = f"{PREVIEW}?action=retry&failed_of={first.pk}&fingerprint={fingerprint}"
    assert foreman.get(url).context["found"].eligible == 3
    foreman.post(url, form_of(foreman, url))
    again = Operation.objects.exclude(pk=first.pk).get()
    assert again.selection == {"failed_of": str(first.pk), "filter": {"fingerprint": fingerprint}}
    assert again.total == 3


def test_many_groups_are_bounded(
    foreman: Browser, groups: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breakdown, "MOST_GROUPS", 1)
    assert "2 entries of 1 more group are always taken" in text_of(foreman.read(FAILED))


def test_where_counting_takes_too_long_the_newest_are_counted(
    foreman: Browser, groups: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with slowed_down(monkeypatch, finding=5.0):
        monkeypatch.setattr(breakdown, "NEWEST_SECONDS", 5.0)
        page = foreman.read(FAILED)
    words = text_of(page)
    assert "more than 4" in words
    assert "Only the newest entries were counted" in words


def test_where_nothing_can_be_counted_the_form_still_starts_it(
    foreman: Browser, groups: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with slowed_down(monkeypatch, finding=0.05):
        monkeypatch.setattr(breakdown, "NEWEST_SECONDS", 0.05)
        page = foreman.get(FAILED)
        assert page.context["breakdown"].groups == ()
        form = {n: v for n in page.context["form"].fields if (v := page.context["form"][n].value())}
    foreman.post(FAILED, form)
    assert Operation.objects.get().total == 6


def test_a_forecast_from_what_entries_of_the_kind_took(foreman: Browser, groups: None) -> None:
    failed(1)
    finish(started())
    EntryFactory.create_batch(2, failed=True, kind="grouped", fingerprint="1-a")
    Run.objects.update(started_at=Now() - timedelta(seconds=4), ended_at=Now())
    assert not foreman.get(FAILED).context["forecast"], "no worker, no forecast"
    worker_of("bulk")
    assert foreman.get(FAILED).context["forecast"].endswith("as fast as recently")
    worker_of("bulk2")
    slow = foreman.get(f"{NUMBERS}&rate_per_second=0.01").context["forecast"]
    assert slow == "About 3 min at 0.01/s"


def test_the_form_takes_a_start_and_a_ramp(foreman: Browser, groups: None) -> None:
    form = form_of(foreman) | {"ramp": "2, 1,000, rest", "start_at": "2099-01-31T08:00"}
    foreman.post(FAILED, form)
    operation = Operation.objects.get()
    assert (operation.ramp, operation.canary_size) == ([2, 1000], 2)
    assert operation.start_at is not None
    assert timezone.localtime(operation.start_at).isoformat()[:16] == "2099-01-31T08:00"


@pytest.mark.parametrize("ramp", ["ten", "0, 5", "1 " * 11, "1000000", "-1", "1;2"])
def test_a_ramp_that_makes_no_sense_is_refused(foreman: Browser, groups: None, ramp: str) -> None:
    answer = foreman.post(FAILED, form_of(foreman) | {"ramp": ramp})
    assert not Operation.objects.exists()
    assert "ramp" in answer.context["form"].errors


def test_it_says_that_a_second_person_is_needed(
    foreman: Browser, groups: None, settings: "Settings"
) -> None:
    settings.REDRIVE_APPROVAL_ABOVE = 5
    assert "need a second person" in text_of(foreman.read(FAILED))
    assert "need a second person" not in text_of(
        foreman.read(f"{NUMBERS}&group=1-a&group=1-b&take=1-a")
    )


def test_numbers_of_nonsense_are_not_found(foreman: Browser) -> None:
    assert foreman.get(f"{PREVIEW}numbers/?colour=red").status_code == 404
    assert foreman.get(f"{NUMBERS}&group=a,b").status_code == 404
