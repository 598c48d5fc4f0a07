"""Failed jobs of an RQ installation become entries that have failed, and nothing is executed."""

import io
import pickle
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.conf import settings as current
from django.core.management import CommandError, call_command

from entries.foreign_rq import Mark, Store, look, put_back, settle
from entries.kinds.rq_job import RqJobKind
from entries.models import Attempt, Entry, Source
from retry.dispatcher.loop import Dispatcher
from retry.models import ErrorGroup, OutcomeCount, Sync
from retry.service import retry_entry
from retry.worker import run_worker
from tests.support.asking import SCRIPT
from tests.support.foreign_rq import QUEUE, ForeignShop, foreign_shop
from tests.unit.test_foreign_rq import Bomb

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.test import Client
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def rq_shop(settings: "Settings", tmp_path: Path) -> Iterator[ForeignShop]:
    """On the Redis that Redrive uses as well, which is allowed."""
    with foreign_shop(tmp_path, current.REDIS_URL) as shop:
        settings.REDRIVE_RQ_HOSTS = [shop.place]
        yield shop


def adopt(shop: ForeignShop, *more: str) -> str:
    out = io.StringIO()
    call_command(
        "adopt", "rq", "--url", shop.url, "--queue", QUEUE, *more, stdout=out, no_color=True
    )
    return out.getvalue()


def retry(entry: Entry) -> Entry:
    """Click "Retry", and let a worker of ours do what follows."""
    retry_entry(entry.pk, actor=SCRIPT)
    run_worker("default", burst=True)
    return Entry.objects.get(pk=entry.pk)


def put(shop: ForeignShop, id_: str, *, cycle: int, queue: str = QUEUE) -> Mark:
    return put_back(Store(shop.url), id_=id_, queue=queue, cycle=cycle, external_id=f"{id_}@1")


def test_real_failures_are_adopted_once_grouped_and_counted(
    rq_shop: ForeignShop, client: "Client", chief: "User"
) -> None:
    ids = rq_shop.fail(3)
    assert "rq: 3 failed jobs adopted, 0 known before" in adopt(rq_shop)
    entries = list(Entry.objects.order_by("title"))
    assert [entry.title for entry in entries] == [f"shop_jobs.charge({n})" for n in range(3)]
    assert {entry.payload["job"] for entry in entries} == set(ids)
    first = entries[0]
    assert (first.status, first.attempt, first.upstream) == ("failed", 1, f"rq:{QUEUE}")
    assert (first.payload["queue"], first.payload["function"]) == (QUEUE, "shop_jobs.charge")
    assert (first.error_class, first.error_message) == ("CardDeclined", "order 0 was declined")
    tried = Attempt.objects.get(entry=first)
    assert (tried.number, tried.status, tried.previous_status) == (1, "failed", "pending")
    assert "raise CardDeclined" in tried.traceback
    assert tried.worker
    assert tried.ended_at == first.failed_at
    assert tried.started_at is not None
    assert first.failed_at is not None
    assert tried.queued_at <= tried.started_at <= first.failed_at

    client.force_login(chief)
    page = client.get(f"/admin/entries/entry/{first.pk}/change/").content.decode()
    assert "CardDeclined" in page
    assert tried.worker in page

    Dispatcher().tick()
    (group,) = ErrorGroup.objects.all()
    assert (group.fingerprint, group.failures, group.kinds) == (first.fingerprint, 3, ["rq_job"])

    assert "rq: 0 failed jobs adopted, 3 known before, 0 not among" in adopt(rq_shop)
    Dispatcher().tick()
    group.refresh_from_db()
    assert (Entry.objects.count(), Attempt.objects.count(), group.failures) == (3, 3, 3)
    assert rq_shop.queue.count == 0
    assert Sync.objects.filter(state="succeeded", queued=0).count() == 2


def test_whatever_lies_in_redis_executes_nothing_and_stops_nothing(
    rq_shop: ForeignShop, tmp_path: Path
) -> None:
    executed = tmp_path / "executed"
    bomb = zlib.compress(pickle.dumps((Bomb(executed), None, (), {})))
    exc = "Traceback (most recent call last):\n  File \"x.py\", line 1, in f\nKeyError: 'a'\n"
    rq_shop.plant("bomb", data=bomb, description="shop.charge(17, token='hunter2')", exc_info=exc)
    rq_shop.plant("large", data=b"x" * 2_000_000, description="y" * 100_000, meta=bomb, result=bomb)
    rq_shop.plant("odd", data=b"\xff", enqueued_at="never", ended_at="x", worker_name=b"\xff\0")
    rq_shop.plant("running", status="started")
    rq_shop.plant("elsewhere", origin="other")
    rq_shop.redis.zadd(f"rq:failed:{QUEUE}", {"missing": 1.0})
    rq_shop.redis.zadd(f"rq:failed:{QUEUE}", {b"\xff\xfe": 2.0})
    rq_shop.redis.set("rq:job:text", "no hash")
    rq_shop.redis.zadd(f"rq:failed:{QUEUE}", {"text": 1.0})
    rq_shop.redis.set("rq:results:bomb", "no stream")

    said = adopt(rq_shop)
    assert "3 failed jobs adopted" in said
    assert "5 in the registry left out" in said
    bombed = Entry.objects.get(payload__job="bomb")
    assert (bombed.error_class, bombed.payload["function"]) == ("KeyError", "shop.charge")
    assert "hunter2" not in bombed.title
    assert bombed.failed_at == datetime(2026, 1, 2, 3, 4, 5, 678900, tzinfo=UTC)
    assert Entry.objects.get(payload__job="odd").external_id == "odd@never"
    assert not executed.exists()

    # It is counted when it happened: what has failed in January causes no alarm tonight.
    Dispatcher().tick()
    counted = OutcomeCount.objects.filter(fingerprint=bombed.fingerprint)
    assert [count.at for count in counted] == [datetime(2026, 1, 2, 3, 4, tzinfo=UTC)]


def test_a_job_that_others_requeue_and_that_fails_again_is_another_failure(
    rq_shop: ForeignShop,
) -> None:
    (id_,) = rq_shop.fail(1)
    adopt(rq_shop)
    rq_shop.queue.failed_job_registry.requeue(id_)
    rq_shop.work_off()
    assert "1 failed jobs adopted, 0 known before, 1 not among" in adopt(rq_shop)
    assert {entry.payload["job"] for entry in Entry.objects.all()} == {id_}


def test_a_retry_runs_on_its_own_workers_and_records_what_came_of_it(rq_shop: ForeignShop) -> None:
    (kept,) = rq_shop.fail(1)
    not_kept = rq_shop.enqueue(1, result_ttl=0).id
    rq_shop.work_off()
    adopt(rq_shop)
    adopted = Entry.objects.get(payload__job=kept)
    with rq_shop.worker():
        failed = retry(adopted)
        assert (failed.status, failed.attempt) == ("failed", 2)
        assert (failed.error_class, failed.fingerprint) == ("CardDeclined", adopted.fingerprint)
        second = Attempt.objects.get(entry=failed, number=2)
        assert "raise CardDeclined" in second.traceback
        assert (second.result or {})["put_back"] is True
        assert "0 failed jobs adopted, 2 known before, 0 not among" in adopt(rq_shop)

        rq_shop.repair()
        done = retry(failed)
        # RQ deletes this one as soon as it has succeeded.
        deleted = retry(Entry.objects.get(payload__job=not_kept))
    assert not rq_shop.redis.exists(f"rq:job:{not_kept}")
    assert (deleted.status, (deleted.result or {})["put_back"]) == ("succeeded", True)
    assert (done.status, done.attempt) == ("succeeded", 3)
    assert itemgetter("status", "put_back")(done.result or {}) == ("finished", True)
    assert rq_shop.ledger == {0: 1, 1: 1}
    assert not rq_shop.redis.exists(f"redrive:rq:job:{kept}")
    assert "2 not among the failed any more" in adopt(rq_shop)


def test_a_job_is_put_back_once_for_each_click(rq_shop: ForeignShop) -> None:
    (id_,) = rq_shop.fail(1)
    store, key = Store(rq_shop.url), f"rq:job:{id_}"
    data = rq_shop.redis.hget(key, "data")
    assert put(rq_shop, id_, cycle=10) is Mark.PUT_BACK
    assert (rq_shop.queue.job_ids, rq_shop.queue.failed_job_registry.count) == ([id_], 0)
    assert [put(rq_shop, id_, cycle=cycle) for cycle in (9, 10, 11)] == [Mark.FOLLOW] * 3
    assert rq_shop.queue.count == 1
    rq_shop.work_off()
    # It has failed again. As long as that was not seen, it is not put back.
    assert [put(rq_shop, id_, cycle=cycle) for cycle in (9, 10, 11)] == [Mark.FOLLOW] * 3
    settle(store, id_=id_, external_id=f"{id_}@1")
    # The same click, and one that came before it, have had their try.
    assert [put(rq_shop, id_, cycle=cycle) for cycle in (9, 10)] == [Mark.FOLLOW] * 2
    assert put(rq_shop, id_, cycle=11) is Mark.PUT_BACK
    rq_shop.repair()
    rq_shop.work_off()
    settle(store, id_=id_, external_id=f"{id_}@1")
    assert put(rq_shop, id_, cycle=12) is Mark.FOLLOW
    assert look(store, id_).status == "finished"
    assert rq_shop.redis.hget(key, "data") == data
    assert rq_shop.ledger == {0: 1}


def test_what_is_not_put_back(rq_shop: ForeignShop) -> None:
    rq_shop.plant("job")
    rq_shop.plant("limited", rate_limit_key="slow")
    rq_shop.plant("taken")
    rq_shop.redis.zrem(f"rq:failed:{QUEUE}", "taken")
    assert put(rq_shop, "job", cycle=1, queue="other") is Mark.ELSEWHERE
    assert put(rq_shop, "limited", cycle=1) is Mark.LIMITED
    assert put(rq_shop, "taken", cycle=1) is Mark.TAKEN
    assert put(rq_shop, "missing", cycle=1) is Mark.GONE
    other = Store(rq_shop.url, prefix="other")
    assert put_back(other, id_="job", queue=QUEUE, cycle=1, external_id="job@1") is Mark.GONE
    assert rq_shop.queue.count == 0
    assert rq_shop.queue.failed_job_registry.count == 2


def test_what_takes_too_long_is_followed_by_the_next_click(
    rq_shop: ForeignShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    (id_,) = rq_shop.fail(1)
    adopt(rq_shop)
    monkeypatch.setattr(RqJobKind, "time_limit", 0.5)
    waiting = retry(Entry.objects.get())
    assert (waiting.status, waiting.error_class) == ("failed", "StillWaiting")
    assert rq_shop.queue.job_ids == [id_]
    rq_shop.work_off()
    ended = retry(waiting)
    assert (ended.status, ended.error_class) == ("failed", "CardDeclined")
    assert rq_shop.queue.count == 0


def test_a_job_that_is_not_there_fails_and_says_so(rq_shop: ForeignShop) -> None:
    rq_shop.fail(1)
    adopt(rq_shop)
    entry = Entry.objects.get()
    rq_shop.redis.delete(f"rq:job:{entry.payload['job']}")
    failed = retry(entry)
    assert (failed.status, failed.error_class) == ("failed", "JobNotThere")


def test_only_the_installation_that_is_named(rq_shop: ForeignShop, settings: "Settings") -> None:
    secret = "redis://:hunter2@rq.example:6379/0"
    with pytest.raises(CommandError, match=r"rq\.example:6379 may not be connected to") as caught:
        call_command("adopt", "rq", "--url", secret, "--queue", QUEUE)
    assert "hunter2" not in str(caught.value)
    with pytest.raises(CommandError, match="is not a queue that can be adopted"):
        call_command("adopt", "rq", "--url", secret, "--queue", "redrive-bulk")
    settings.REDRIVE_RQ_HOSTS = ["rq.example"]
    with pytest.raises(CommandError, match="did not answer") as caught:
        call_command("adopt", "rq", "--url", secret, "--queue", QUEUE)
    assert "hunter2" not in f"{caught.value}{Source.objects.get().last_error}"
    with pytest.raises(CommandError, match="reads something else"):
        adopt(rq_shop)
    with pytest.raises(CommandError, match="has other queues"):
        call_command("adopt", "rq", "--url", secret, "--queue", "more")
