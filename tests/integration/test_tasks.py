"""Django's tasks: unmodified functions become entries, and what is said of them agrees."""

import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection, transaction
from django.utils import timezone

from entries.kinds.base import RetryPolicy
from entries.models import Entry
from entries.sources.base import SourceItem
from retry import queue, service
from retry.dispatcher.loop import Dispatcher
from retry.models import AuditEvent, ErrorGroup, Run
from retry.tasks.kind import TaskKind
from retry.tasks.origin import InvalidTask, TaskResultDoesNotExist, TaskResultStatus
from retry.worker import run_worker
from tests.support import tasks
from tests.support.asking import SCRIPT
from tests.support.processes import manage
from tests.support.shops import work

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "tests.support.tasks"


def entry_of(result: Any) -> Entry:
    return Entry.objects.get(external_id=result.id)


def test_a_task_is_an_entry_and_its_result_agrees() -> None:
    result = tasks.add.enqueue(2, b=3)
    assert result.status == TaskResultStatus.READY
    entry = entry_of(result)
    assert (entry.kind, entry.title, entry.upstream) == ("task", f"{PATH}.add", f"{PATH}.add")
    assert (entry.payload["args"], entry.payload["kwargs"]) == ([2], {"b": 3})
    assert Run.objects.get().queue == "bulk"
    event = AuditEvent.objects.get()
    assert (event.verb, event.actor_label, event.entry_id) == ("submit", "application", entry.pk)
    work()
    result.refresh()
    assert (result.status, result.return_value, result.attempts) == ("SUCCESSFUL", 5, 1)
    again = tasks.add.get_result(result.id)
    assert (again, again.task, again.args, again.kwargs) == (result, tasks.add, [2], {"b": 3})
    assert again.enqueued_at is not None
    assert again.started_at == again.last_attempted_at
    assert again.enqueued_at <= again.started_at <= again.finished_at


def test_coroutines_are_awaited_and_ask_the_database() -> None:
    @async_to_sync
    async def enqueue() -> Any:
        return await tasks.double.aenqueue(21)

    result = enqueue()
    work()
    found = async_to_sync(tasks.double.aget_result)(result.id)
    assert found.return_value == 42


def test_a_coroutine_that_takes_too_long_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TaskKind, "time_limit", 0.5)
    result = tasks.sleep_for_ever.enqueue()
    work()
    result.refresh()
    [error] = result.errors
    assert error.exception_class.__name__ == "TimeLimitExceeded"


def test_nothing_is_left_of_a_transaction_that_rolls_back() -> None:
    with transaction.atomic():
        tasks.add.enqueue(1)
        tasks.add.using(run_after=timezone.now() + timedelta(hours=1)).enqueue(1)
        transaction.set_rollback(True)
    assert not any(model.objects.exists() for model in (Entry, Run, AuditEvent))
    assert queue.count_jobs(["default", "bulk"]) == {"default": 0, "bulk": 0}


def test_a_failure_is_seen_grouped_and_retried_to_success(tmp_path: Path) -> None:
    file = tmp_path / "card"
    result = tasks.charge.enqueue(str(file))
    work()
    result.refresh()
    assert result.status == TaskResultStatus.FAILED
    [error] = result.errors
    assert error.exception_class is tasks.CardDeclined
    assert error.traceback.rstrip().endswith(f"{PATH}.CardDeclined: the card was declined")
    assert "in charge" in error.traceback
    with pytest.raises(ValueError, match="Task failed"):
        _ = result.return_value
    entry = entry_of(result)
    assert (entry.status, entry.error_class) == ("failed", "CardDeclined")
    Dispatcher().tick()
    group = ErrorGroup.objects.get(fingerprint=entry.fingerprint)
    assert (group.kinds, group.upstreams) == (["task"], [f"{PATH}.charge"])
    file.write_text("paid")
    assert service.retry_entries([entry.pk], actor=SCRIPT).queued == 1
    result.refresh()
    assert result.status == TaskResultStatus.READY
    work()
    result.refresh()
    assert (result.return_value, result.attempts, len(result.errors)) == ("paid", 2, 1)
    assert result.finished_at > result.last_attempted_at > result.started_at


def test_tasks_know_their_context(tmp_path: Path) -> None:
    result = tasks.tell.enqueue(word="hello")
    work()
    result.refresh()
    told = {"word": "hello", "id": result.id, "attempt": 1, "errors": []}
    assert result.return_value == told


def test_automatic_retries_of_a_function_and_by_a_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = tasks.charge_again.enqueue(str(tmp_path / "card"))
    monkeypatch.setattr(TaskKind, "retry_policy", RetryPolicy(2, first_delay=0.0, on=(Exception,)))
    other = tasks.charge.enqueue(str(tmp_path / "card"))
    work()
    for one in (result, other):
        one.refresh()
        assert (one.status, one.attempts) == (TaskResultStatus.READY, 1)
    for _ in range(3):
        Dispatcher().tick()
        work()
    result.refresh()
    other.refresh()
    assert (result.status, result.attempts) == (TaskResultStatus.FAILED, 2)
    assert (other.status, other.attempts) == (TaskResultStatus.FAILED, 3)
    assert entry_of(result).error_message.endswith("(gave up after 2 attempts)")


def test_it_runs_when_its_time_has_come() -> None:
    later = timezone.now() + timedelta(hours=1)
    result = tasks.add.using(run_after=later).enqueue(1)
    entry = entry_of(result)
    assert (entry.status, entry.next_attempt_at) == ("scheduled", later)
    found = tasks.add.get_result(result.id)
    assert (found.status, found.task.run_after) == (TaskResultStatus.READY, later)
    assert Dispatcher().tick().woken == 0
    _make_due(entry)
    assert Dispatcher().tick().woken == 1
    work()
    result.refresh()
    assert (result.return_value, result.attempts) == (2, 1)
    past = tasks.add.using(run_after=timezone.now() - timedelta(hours=1)).enqueue(1)
    assert entry_of(past).status == "queued"


def _make_due(entry: Entry) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE entries_entry SET next_attempt_at = now() WHERE id = %s", [entry.pk])


def test_stopped_before_its_first_attempt_it_is_failed_and_can_be_retried() -> None:
    result = tasks.add.using(run_after=timezone.now() + timedelta(hours=1)).enqueue(1)
    entry = entry_of(result)
    [outcome] = service.stop_retrying([entry.pk], actor=SCRIPT)
    assert outcome.status == "failed"
    stopped = entry_of(result)
    assert (stopped.error_class, stopped.error_message) == (
        "NeverTried",
        "stopped before its first attempt",
    )
    result.refresh()
    assert (result.status, result.errors, result.attempts) == (TaskResultStatus.FAILED, [], 0)
    service.retry_entries([entry.pk], actor=SCRIPT)
    work()
    result.refresh()
    assert result.return_value == 2


def test_a_held_function_holds_no_other_and_no_probe_comes_before_its_time() -> None:
    service.trip_breaker(
        "task", upstream=f"{PATH}.add", actor=SCRIPT, reason="HTTP 503", probe_after=0.0
    )
    later = tasks.add.using(run_after=timezone.now() + timedelta(hours=1)).enqueue(1)
    Dispatcher().tick()
    assert entry_of(later).status == "scheduled"
    other = tasks.tell.enqueue(word="hello")
    held = tasks.add.enqueue(1)
    run_worker("bulk", burst=True)
    assert (entry_of(other).status, entry_of(held).status) == ("succeeded", "queued")


def test_what_has_priority_begins_before_what_waits() -> None:
    first = tasks.add.enqueue(1)
    urgent = tasks.add.using(priority=50, queue_name="mail").enqueue(2)
    runs = {run.entry_ids[0]: run.job_id for run in Run.objects.all()}
    waiting: Any = queue.get_client().lrange("rq:queue:redrive-bulk", 0, -1)
    assert [job.decode() for job in waiting] == [
        runs[entry_of(urgent).pk],
        runs[entry_of(first).pk],
    ]
    task = tasks.add.get_result(urgent.id).task
    assert (task.priority, task.queue_name, task.backend) == (50, "mail", "default")


@pytest.mark.parametrize(
    ("task", "error_class", "message"),
    [
        (tasks.fail, ValueError, "it broke"),
        (tasks.leave, SystemExit, "3"),
        (tasks.return_moment, TypeError, "return_moment returned is not JSON: Unsupported type"),
        (tasks.return_much, ValueError, "larger than 61,440 bytes as JSON"),
    ],
)
def test_errors_have_their_class(task: Any, error_class: type, message: str) -> None:
    result = task.enqueue()
    work()
    result.refresh()
    [error] = result.errors
    assert issubclass(error.exception_class, error_class)
    assert message in error.traceback


def test_what_cannot_be_called_is_refused_when_it_is_enqueued() -> None:
    with pytest.raises(InvalidTask, match="larger than"):
        tasks.add.enqueue("x" * 300_000)
    with pytest.raises(TypeError, match="Unsupported type"):
        tasks.add.enqueue(object())
    with pytest.raises(InvalidTask, match=f"there is no task {PATH}.plain"):
        replace(tasks.add, func=tasks.plain).enqueue()
    with pytest.raises(InvalidTask, match="Queue 'other'"):
        tasks.add.using(queue_name="other").enqueue(1)
    assert not Entry.objects.exists()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (f"{PATH}.plain", "there is no task"),
        (f"{PATH}.Path.touch", "there is no module"),
        ("os.system", "there is no task os.system"),
        ("antigravity.webbrowser", "antigravity is in no installed app"),
        ("os.path:join", '"task" must be the path of a function'),
        (7, '"task" must be the path of a function'),
    ],
)
def test_a_payload_made_by_hand_calls_nothing_but_tasks(
    path: Any, message: str, tmp_path: Path
) -> None:
    file = tmp_path / "called"
    item = SourceItem("1", "", {"task": path, "args": [str(file)]})
    service.submit([item], kind="task", actor=SCRIPT)
    work()
    entry = Entry.objects.get()
    assert (entry.status, message in entry.error_message) == ("failed", True), entry.error_message
    assert not file.exists()
    assert "antigravity" not in sys.modules
    [problem] = TaskKind().problems_with(item.payload)
    assert message in problem


def test_results_that_there_are_not() -> None:
    result = tasks.add.enqueue(1)
    with pytest.raises(TaskResultDoesNotExist):
        tasks.add.get_result("x" * 600)
    with pytest.raises(TaskResultDoesNotExist):
        tasks.add.get_result("nothing")
    Entry.objects.update(payload={"task": f"{PATH}.gone"})
    with pytest.raises(TaskResultDoesNotExist, match=f"there is no task {PATH}.gone"):
        tasks.add.get_result(result.id)


def test_a_worker_process_calls_it(tmp_path: Path) -> None:
    file = tmp_path / "ledger"
    result = tasks.write.enqueue(str(file), "hello")
    with manage("worker", "bulk", "--burst") as worker:
        assert worker.wait() == 0
    result.refresh()
    assert (result.status, result.return_value) == (TaskResultStatus.SUCCESSFUL, None)
    [worker_id] = result.worker_ids
    word, process = file.read_text().split()
    assert (word, process) == ("hello", worker_id.split(":")[1])
