"""Every way in which an attempt ends is counted once, with what it ended in."""

import pytest

from entries.models import Entry
from retry.models import OutcomeFlush, Run
from retry.runs.lifecycle import claim_run
from retry.runs.rescue import DISPATCHER, take_entries
from retry.service import resync_entry
from retry.worker.claim import Claim
from retry.worker.patience import NONE
from tests.factories.entries import EntryFactory
from tests.support.asking import SCRIPT, queued_entries
from tests.support.counts import append, fail, succeed
from tests.support.shops import Shop, work

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_kind_without_a_breaker_is_counted_as_well() -> None:
    queued_entries(3, kind="grouped")
    work()
    assert (
        list(OutcomeFlush.objects.values_list("kind", "fingerprint", "error_class", "message"))
        == [("grouped", "", "", "")] * OutcomeFlush.objects.count()
    )
    assert sum(OutcomeFlush.objects.values_list("count", flat=True)) == 3


def test_a_failure_is_counted_under_its_fingerprint() -> None:
    (id_,) = queued_entries(1, do="permanent", message="page 17 answered HTTP 404")
    work()
    entry, row = Entry.objects.get(pk=id_), OutcomeFlush.objects.get()
    assert (row.kind, row.fingerprint, row.error_class) == (
        "scripted",
        entry.fingerprint,
        "PermanentError",
    )
    assert (row.message, row.count, row.sample_entry_id) == ("page # answered http 404", 1, id_)


def test_the_upstream_is_a_sample() -> None:
    append(*(fail("it broke", upstream=f"{number}.example") for number in range(30)))
    row = OutcomeFlush.objects.get()
    assert (row.count, len(row.upstreams)) == (30, 10)


def test_one_group_of_outcomes_is_one_row_for_each_fingerprint() -> None:
    append(succeed(1), fail("page 1 broke"), succeed(2), fail("page 2 broke"), fail("HTTP 404"))
    assert sorted(OutcomeFlush.objects.values_list("message", "count")) == [
        ("", 2),
        ("HTTP 404".lower(), 1),
        ("page # broke", 2),
    ]


def test_what_is_retried_automatically_has_failed() -> None:
    (id_,) = queued_entries(1, kind="persistent", do="transient")
    work()
    assert Entry.objects.get(pk=id_).status == "scheduled"
    row = OutcomeFlush.objects.get()
    assert (row.count, row.fingerprint) == (1, Entry.objects.get(pk=id_).fingerprint)


def test_how_often_it_was_tried_is_no_part_of_the_message() -> None:
    append(fail("it broke (gave up after 4 attempts)"))
    assert OutcomeFlush.objects.get().message == "it broke"


def test_what_a_worker_lost_counts_only_when_it_fails_for_good() -> None:
    ids = queued_entries(2)
    run = claim_run(Run.objects.get().pk, worker="w")
    assert run is not None
    assert len(Claim(run, worker="w", patience=NONE).take(ids)) == 2
    for _ in range(5):
        for lost in Run.objects.filter(state="running"):
            take_entries(lost, cause="worker w was killed", began=True, actor=DISPATCHER)
        for waiting in Run.objects.filter(state="queued"):
            claimed = claim_run(waiting.pk, worker="w")
            assert claimed is not None
            Claim(claimed, worker="w", patience=NONE).take(claimed.entry_ids)
    assert set(Entry.objects.values_list("status", "error_class")) == {("failed", "WorkerLost")}
    outcomes = OutcomeFlush.objects.filter(lost=False)
    assert sum(outcomes.values_list("count", flat=True)) == 2


def test_what_a_source_did_not_give_has_failed_and_what_is_unchanged_is_no_outcome(
    shop: Shop,
) -> None:
    first, second = shop.entry("a"), shop.entry("b")
    shop.has(a={"page": "x" * 300_000}, b={"page": "old"})
    for entry in (first, second):
        resync_entry(entry.pk, actor=SCRIPT, only_if_changed=True)
    work()
    row = OutcomeFlush.objects.get()
    assert (row.error_class, row.count) == ("SourceError", 1)
    assert (row.source_id, row.sample_entry_id) == (shop.source.pk, first.pk)


def test_an_outcome_that_came_too_late_is_not_counted() -> None:
    ids = queued_entries(2)
    claim = Claim.request(Run.objects.get().pk, worker="w", patience=NONE)
    assert claim is not None
    claim.take(ids)
    claim.run.pk = EntryFactory.create(queued=True).run_id
    claim.run.id = claim.run.pk
    claim.record([succeed(id_) for id_ in ids])
    assert not OutcomeFlush.objects.exists()
