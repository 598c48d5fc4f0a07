"""Request ids: in every answer and log line, in the audit, and with what a request has started."""

from io import StringIO
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
import structlog
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
from django.test import Client

from entries.models import Attempt
from entries.request_ids import choose_id
from retry.dispatcher.pacing import pace
from retry.models import AuditEvent, Operation, Run, Sync
from retry.worker.execution import execute
from retry.worker.log_context import name_run
from tests.admin.browsing import Browser, page_of
from tests.api.calls import Caller, ok, problem
from tests.factories.entries import EntryFactory, SourceFactory

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)
MINE = "nightly-2026.11:29/7"


def id_of(response: Any) -> str:
    return str(response.headers["X-Request-ID"])


def is_made(request_id: str) -> bool:
    return str(UUID(request_id)) == request_id


class TestAnswers:
    @pytest.mark.parametrize(
        "path",
        [
            "/healthz",
            "/readyz",
            "/admin/login/",
            "/admin/",
            "/",
            "/nowhere",
            "/static/nowhere.css",
            "/admin/api/status",
            "/admin/api/nowhere",
            "/admin/api",
        ],
    )
    def test_each_has_one(self, path: str) -> None:
        answers = [Client().get(path) for _ in range(2)]
        ids = {id_of(answer) for answer in answers}
        assert len(ids) == 2
        assert all(is_made(each) for each in ids)
        assert id_of(Client().get(path, headers={"X-Request-ID": MINE})) == MINE

    def test_also_one_for_a_wrong_host_and_for_a_bug(
        self, operator: "User", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        caller = Caller(operator)
        answer = caller.send("GET", "status", SERVER_NAME="elsewhere.example")
        problem(answer, 400, "bad_request")
        monkeypatch.setattr(SessionStore, "load", None)  # Django's, and no more a function
        caller.headers = {"X-Request-ID": MINE}
        answer = caller.get("entries")
        assert problem(answer, 500, "internal_error")["request_id"] == id_of(answer) == MINE

    @pytest.mark.parametrize(
        "given", ["", " ", "x" * 65, "a b", "<b>", 'a"b', "é", "-first", "a\tb", "a;b", "{}"]
    )
    def test_one_that_is_not_sane_is_replaced(self, given: str) -> None:
        assert is_made(choose_id(given))
        answer = Client().get("/admin/login/", headers={"X-Request-ID": given})
        assert is_made(id_of(answer))

    @pytest.mark.parametrize("given", ["a", "x" * 64, MINE, "4bf92f3577b34da6a3ce929d0e0e4736"])
    def test_a_sane_one_is_kept(self, given: str) -> None:
        assert choose_id(given) == given


def test_every_line_of_the_log_has_it(operator: "User", caplog: pytest.LogCaptureFixture) -> None:
    caller = Caller(operator)
    caller.headers = {"X-Request-ID": MINE}
    caplog.clear()
    caller.get("entries")
    caller.send("GET", "status", SERVER_NAME="elsewhere.example")  # replaced outside of the log
    finished = [str(record.msg) for record in caplog.records if "request_" in str(record.msg)]
    assert finished
    assert all(f"'request_id': '{MINE}'" in line for line in finished)
    assert structlog.contextvars.get_contextvars() == {}


class TestWhatARequestStarts:
    @pytest.fixture
    def caller(self, chief: "User") -> Caller:
        caller = Caller(chief)
        caller.headers = {"X-Request-ID": MINE}
        return caller

    def test_a_run_its_audit_and_its_attempt(self, caller: Caller, chief: "User") -> None:
        entry = EntryFactory.create(failed=True, kind="scripted", payload={"do": "succeed"})
        run_id = UUID(ok(caller.post("retry", {"entry_id": entry.pk}), 202)["run_id"])
        assert Run.objects.get().request_id == MINE
        assert AuditEvent.objects.get(verb="retry").request_id == MINE
        execute(run_id, worker="w")
        caller.headers = {}
        newest = ok(caller.get(f"entries/{entry.pk}"))["attempts"][0]
        assert (newest["run_id"], newest["request_id"]) == (str(run_id), MINE)
        assert MINE in Browser(chief).read(page_of(Run.objects.get()))

    def test_an_operation_has_it_once(self, caller: Caller) -> None:
        EntryFactory.create_batch(3, failed=True)
        answer = ok(caller.post("retry/bulk", {"filter": {"status": "failed"}}), 202)
        pace()
        operation = Operation.objects.get()
        assert operation.request_id == MINE
        assert {run.request_id for run in operation.runs.all()} == {""}
        caller.headers = {}
        progress = ok(caller.get(f"operations/{answer['operation_id']}"))
        assert progress["request_id"] == MINE
        entry_id = Attempt.objects.values_list("entry_id", flat=True)[0]
        assert ok(caller.get(f"entries/{entry_id}"))["attempts"][0]["request_id"] == MINE

    def test_a_sync(self, caller: Caller) -> None:
        SourceFactory.create(slug="news")
        ok(caller.post("sources/news/sync", {}), 202)
        assert Sync.objects.get().request_id == MINE

    def test_what_continues_a_run_goes_back_to_the_same_request(self) -> None:
        run = Run(request_id=MINE)
        assert name_run(run) == {"run_id": str(run.id), "request_id": MINE}


class TestCommands:
    def test_one_has_an_id(self) -> None:
        EntryFactory.create(failed=True)
        call_command("retry", "--status", "failed", stdout=StringIO())
        operation = Operation.objects.get()
        assert is_made(operation.request_id)
        assert AuditEvent.objects.get(verb="start_retry").request_id == operation.request_id
        assert structlog.contextvars.get_contextvars() == {}

    def test_what_no_request_has_caused_has_none(self) -> None:
        EntryFactory.create(scheduled=True)
        call_command("dispatcher", "--once", stdout=StringIO())
        assert {event.request_id for event in AuditEvent.objects.filter(verb="wake")} == {""}
        assert {run.request_id for run in Run.objects.all()} == {""}
