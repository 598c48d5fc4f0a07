"""Waiting for operations, runs and syncs, and asking for them again."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from django.db import connection
from django.http import HttpResponse

from retry.api.http.watch import MOST_SECONDS, watch
from retry.dispatcher.loop import Dispatcher
from retry.models import Operation, Sync
from retry.worker import run_worker
from tests.api.calls import Caller, fields, ok
from tests.factories.entries import EntryFactory, SourceFactory
from tests.support.servers import wait_until

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def asked(call: Callable[[], HttpResponse]) -> Iterator["Future[HttpResponse]"]:
    """The answer to a call that waits, once it waits."""
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(call)
        wait_until(lambda: len(watch) or future.done(), what="the request waits")
        yield future


def get(api: Caller, path: str, **query: Any) -> HttpResponse:
    return api.get(path, wait=MOST_SECONDS, **query)


def start(api: Caller, **more: Any) -> str:
    EntryFactory.create(failed=True, kind="grouped", payload={})
    body = {"filter": {"status": "failed"}, **more}
    return str(ok(api.post("retry/bulk", body), 202)["progress_url"])


def finish() -> None:
    Dispatcher().tick()
    run_worker("bulk", burst=True)
    Dispatcher().tick()


def test_an_operation_is_answered_when_it_ends(api: Caller) -> None:
    path = start(api)
    with asked(partial(get, api, path)) as future:
        finish()
        answer = future.result(10)
    assert ok(answer)["state"] == "completed"
    assert "Retry-After" not in answer.headers
    wait_until(lambda: not _list_sessions("waiting"), what="nothing looks any more")


def test_and_when_a_person_pauses_it(api: Caller) -> None:
    path = start(api)
    with asked(partial(get, api, path)) as future:
        ok(api.post(f"{path}/pause", {"reason": "lunch"}))
        answer = future.result(10)
    assert ok(answer)["pause_reason"] == "lunch"
    assert "Retry-After" not in answer.headers, "nothing happens until a person resumes it"
    assert ok(get(api, path))["state"] == "paused", "at once, or this test would run out of time"


def test_what_awaits_approval_is_answered_at_once(api: Caller, settings: "Settings") -> None:
    settings.REDRIVE_APPROVAL_ABOVE = 1
    EntryFactory.create(failed=True)
    assert ok(get(api, start(api)))["state"] == "awaiting_approval"


def test_a_run_and_a_sync(api: Caller) -> None:
    entry = EntryFactory.create(failed=True, kind="grouped", payload={})
    path = ok(api.post("retry", {"entry_id": entry.id}), 202)["progress_url"]
    with asked(partial(get, api, path)) as future:
        run_worker("default", burst=True)
        assert ok(future.result(10))["state"] == "finished"
    sync = Sync.objects.create(source=SourceFactory.create())
    with asked(partial(get, api, f"syncs/{sync.pk}")) as future:
        Sync.objects.update(state="failed", error_code="unreachable")
        assert ok(future.result(10))["state"] == "failed"


def test_when_time_is_up_it_says_how_far_it_is(api: Caller) -> None:
    answer = api.get(start(api), wait=1)
    assert (ok(answer)["state"], answer.headers["Retry-After"]) == ("planned", "0")
    assert api.get("operations/" + str(Operation.objects.get().pk)).headers["Retry-After"] == "2"


def test_who_is_one_too_many_is_answered_at_once(api: Caller, settings: "Settings") -> None:
    settings.REDRIVE_API_WAITERS = 1
    path = start(api)
    with asked(partial(get, api, path)) as future:
        answer = get(api, path)
        assert (ok(answer)["state"], answer.headers["Retry-After"]) == ("planned", "2")
        finish()
        future.result(10)


def test_one_that_waits_has_no_session(api: Caller) -> None:
    path = start(api)
    with asked(partial(get, api, path)) as future:
        wait_until(lambda: _list_sessions("waiting"), what="one thread looks")
        assert len(_list_sessions("")) == 2, "this test's, and the one that looks"
        assert not _list_sessions("idle in transaction")
        finish()
        future.result(10)


def test_what_has_not_changed_is_not_sent_again(api: Caller) -> None:
    path = start(api)
    finish()
    first = api.get(path)
    etag = first.headers["ETag"]
    for given in (etag, f'W/{etag}, "other"', "*"):
        again = api.send("GET", path, headers={"If-None-Match": given})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == etag
    other = api.send("GET", path, headers={"If-None-Match": '"other"'})
    assert other.content == first.content
    Operation.objects.update(reason="another")
    assert api.send("GET", path, headers={"If-None-Match": etag}).status_code == 200


@pytest.mark.parametrize("wait", ["-1", "61", "1.5", "soon", ""])
def test_a_time_that_is_none(api: Caller, wait: str) -> None:
    assert "wait" in fields(api.get(f"operations/{UUID(int=1)}", wait=wait))


def _list_sessions(state: str) -> list[str]:
    """This database's sessions: ``waiting`` for those that look for what is awaited."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT state, query FROM pg_stat_activity"
            " WHERE datname = current_database() AND backend_type = 'client backend'"
        )
        rows = cursor.fetchall()
    if state == "waiting":
        return [query for _, query in rows if "ended_at IS NOT NULL OR state" in query]
    return [query for found, query in rows if state in found]
