"""An upstream that goes down under load and comes back, with real workers and a dispatcher."""

from collections.abc import Sequence
from contextlib import ExitStack

import pytest

from entries.models import Entry
from retry.models import AuditEvent, Hold
from retry.service import retry_entries
from tests.factories.entries import EntryFactory
from tests.support.asking import SCRIPT
from tests.support.http import LocalServer
from tests.support.processes import manage
from tests.support.servers import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

COUNT = 300
WORKERS = 2


def out_of_order(ids: Sequence[int]) -> float:
    """The share of pairs of which the younger came first: 0 in order of age, 0.5 at random."""
    pairs = len(ids) * (len(ids) - 1) / 2
    return sum(a > b for i, a in enumerate(ids) for b in ids[i + 1 :]) / pairs


def test_almost_nothing_hammers_it_and_after_the_repair_all_drains_by_itself() -> None:
    with LocalServer() as upstream, ExitStack() as crew:
        url = upstream.answer("/work", status=503)
        made = EntryFactory.create_batch(COUNT, failed=True, kind="calling", payload={"url": url})
        ids = [entry.pk for entry in made]
        crew.enter_context(manage("dispatcher"))
        for _ in range(WORKERS):
            crew.enter_context(manage("worker", "bulk"))
            crew.enter_context(manage("worker", "default"))
        retry_entries(ids, actor=SCRIPT)

        wait_until(lambda: Hold.objects.filter(automatic=True).exists(), timeout=60)
        wait_until(lambda: Hold.objects.get().probes >= 1, timeout=60)
        stopped = len(upstream.received)
        assert stopped < COUNT, "it was stopped in the middle of the first round"
        wait_until(lambda: Hold.objects.get().probes >= 6, timeout=60)
        assert len(upstream.received) - stopped <= 6, "single entries, and nothing else"
        assert set(Entry.objects.values_list("status", flat=True)) <= {"queued", "scheduled"}

        asked = len(upstream.received)
        upstream.answer("/work", status=200)
        wait_until(lambda: not Entry.objects.exclude(status="succeeded").exists(), timeout=90)
        hold = Hold.objects.get()
        assert (hold.lifted_by, hold.lifted_reason) == ("breaker", "a probe succeeded")
        assert AuditEvent.objects.filter(verb__in=("hold", "lift")).count() == 2

    drained = [int(one.path.partition("=")[2]) for one in upstream.received[asked:]]
    served = list(dict.fromkeys(drained))
    assert set(served) == set(ids)
    assert out_of_order(served) < 0.2
