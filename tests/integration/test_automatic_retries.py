"""From a passing fault to the last try: scheduled, woken, given up, stopped."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from entries.models import Attempt, Entry
from retry import queue
from retry.dispatcher.loop import Dispatcher
from retry.models import AuditEvent, Run
from retry.service import retry_entries_now, stop_retrying
from tests.factories.entries import EntryFactory
from tests.support.asking import SCRIPT, queued_entries
from tests.support.shops import work

pytestmark = pytest.mark.django_db(transaction=True)


def entry_of(id_: int) -> Entry:
    return Entry.objects.get(pk=id_)


def attempts(id_: int) -> list[tuple[str, bool]]:
    found = Attempt.objects.filter(entry_id=id_, number__gt=1).order_by("number")
    return list(found.values_list("status", "transient"))


def test_it_is_tried_again_until_its_policy_gives_up() -> None:
    (id_,) = queued_entries(1, kind="persistent", do="transient", message="HTTP 503 from upstream")
    work()
    first = entry_of(id_)
    assert (first.status, first.error_message) == ("scheduled", "HTTP 503 from upstream")
    for _ in range(2):
        queue.get_client().flushdb()  # what is scheduled stands in PostgreSQL alone
        assert Dispatcher().tick().woken == 1
        work()
    entry = entry_of(id_)
    assert entry.status == "failed"
    assert entry.error_message == "HTTP 503 from upstream (gave up after 3 attempts)"
    assert entry.fingerprint == first.fingerprint, "it is the same group of errors"
    assert attempts(id_) == [("failed", True)] * 3
    assert set(Run.objects.values_list("transient", flat=True)) == {1}
    assert Dispatcher().tick().woken == 0


def test_what_cannot_be_mended_is_not_tried_again_and_does_not_give_up() -> None:
    (id_,) = queued_entries(1, kind="persistent", do="permanent", message="HTTP 404")
    work()
    entry = entry_of(id_)
    assert (entry.status, entry.error_message) == ("failed", "HTTP 404")
    assert attempts(id_) == [("failed", False)]


def test_a_kind_without_a_policy_does_not_say_that_it_gave_up() -> None:
    (id_,) = queued_entries(1, kind="scripted", do="transient")
    work()
    assert entry_of(id_).error_message == "HTTP 503"
    assert attempts(id_) == [("failed", True)], "the breaker wants to know all the same"


def test_a_long_message_still_ends_in_words() -> None:
    (id_,) = queued_entries(1, kind="persistent", do="transient", message="x" * 800)
    for _ in range(2):
        work()
        Dispatcher().tick()
    work()
    message = entry_of(id_).error_message
    assert len(message) <= 500
    assert message.endswith("… (gave up after 3 attempts)")


def test_retry_now_does_not_wait_and_begins_a_new_cycle() -> None:
    entry = EntryFactory.create(scheduled=True, kind="persistent", payload={"do": "succeed"})
    outcome = retry_entries_now([entry.pk], actor=SCRIPT, reason="it is up")
    assert outcome.queued == 1
    entry = entry_of(entry.pk)
    assert (entry.status, entry.automatic_attempts, entry.next_attempt_at) == ("queued", 0, None)
    work()
    assert entry_of(entry.pk).status == "succeeded"
    assert AuditEvent.objects.get(verb="retry_now").reason == "it is up"


def test_what_was_stopped_is_failed_and_sleeps() -> None:
    entry = EntryFactory.create(scheduled=True)
    other = EntryFactory.create(failed=True)
    done, left = stop_retrying([entry.pk, other.pk], actor=SCRIPT)
    assert (done.reason, left.reason) == (None, "not_scheduled")
    stopped = entry_of(entry.pk)
    assert (stopped.status, stopped.next_attempt_at) == ("failed", None)
    assert stopped.failed_at is not None
    assert stopped.error_class == "TransientError"
    assert Dispatcher().tick().woken == 0


def test_what_a_failure_knows_is_kept_with_its_attempt() -> None:
    (id_,) = queued_entries(1, kind="telling_failure")
    work()
    attempt = Attempt.objects.get(entry_id=id_, number=2)
    assert attempt.result == {"response": {"status": 503}}
    assert entry_of(id_).result is None, "a failure leaves the entry's last result alone"


def test_nothing_is_due_before_its_time() -> None:
    EntryFactory.create(scheduled=True, next_attempt_at=Now() + timedelta(hours=1))
    assert Dispatcher().tick().woken == 0
