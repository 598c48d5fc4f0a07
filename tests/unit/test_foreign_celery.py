"""What rows of django-celery-results say of a task: its arguments and its error."""

import ast
import json
import pickle
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from entries.foreign_celery import (
    ArgumentsUnclear,
    State,
    derive_id,
    read_arguments,
)
from entries.foreign_celery.arguments import decode_arguments
from entries.foreign_celery.results import describe_failure
from entries.foreign_celery.task_ids import MARK
from entries.kinds.celery_payloads import TaskNotSendable, read_call
from entries.kinds.celery_task import CeleryTaskKind
from entries.repairs import Refusal, Repair
from tests.unit.test_foreign_rq import TRACEBACK, Bomb

OPTIONS = {"broker": "redis://shop.example/0", "queue": "celery", "routes": ["shop.mail.*=mail"]}
CALL: dict[str, Any] = {"task": "shop.charge", "queue": "celery", "args": [1], "kwargs": {}}


def stored(value: object) -> str:
    """As protocol 2 stores a text of arguments."""
    return json.dumps(value)


def text_payload(args: str, kwargs: str = "{}") -> dict[str, Any]:
    return {"arguments": "text", "args_text": args, "kwargs_text": kwargs}


def test_json_of_the_arguments_is_the_arguments() -> None:
    found = decode_arguments('[1, "a", null]', '{"x": [2.5]}', encoding="utf-8")
    assert found.as_payload() == {
        "arguments": "exact",
        "args": [1, "a", None],
        "kwargs": {"x": [2.5]},
    }


def test_a_text_of_the_arguments_is_not_taken_for_them() -> None:
    found = decode_arguments(stored("(1, 'a')"), stored("{'x': 2}"), encoding="utf-8")
    assert found.as_payload() == text_payload("(1, 'a')", "{'x': 2}")
    # Old versions have stored the text itself.
    found = decode_arguments("(1, 'a')", "{'x': 2}", encoding="utf-8")
    assert found.as_payload() == text_payload("(1, 'a')", "{'x': 2}")


@pytest.mark.parametrize(
    ("args", "kwargs", "encoding", "state"),
    [
        (None, None, "utf-8", State.MISSING),
        ("", "", "utf-8", State.MISSING),
        ("null", "null", "utf-8", State.MISSING),
        ('"(1,)"', None, "utf-8", State.MISSING),
        (b64encode(pickle.dumps((1,))).decode(), "e30=", "binary", State.ENCODED),
        ("[" * 100_000, "{}", "utf-8", State.TEXT),
        ("[NaN]", "{}", "utf-8", State.ENCODED),
        (json.dumps(["x" * 100_000]), "{}", "utf-8", State.LARGE),
        (f"[{'9' * 5_000}]", "{}", "utf-8", State.TEXT),
        (stored("\x00\ud800\x1b[31m"), stored("{}"), "utf-8", State.TEXT),
    ],
)
def test_whatever_is_in_the_columns(
    args: str | None, kwargs: str | None, encoding: str, state: State
) -> None:
    found = decode_arguments(args, kwargs, encoding=encoding)
    assert found.state is state
    shown = json.dumps(found.as_payload())
    assert len(shown) < 10_000
    assert "\\u0000" not in shown
    assert "\\ud800" not in shown


def test_pickled_arguments_execute_nothing(tmp_path: Path) -> None:
    bomb = b64encode(pickle.dumps(Bomb(tmp_path / "executed"))).decode()
    for encoding in ("binary", "utf-8"):
        decode_arguments(bomb, bomb, encoding=encoding)
        describe_failure(bomb, "", encoding=encoding)
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    ("args", "kwargs", "found"),
    [
        ("()", "{}", ([], {})),
        ("(17,)", "{}", ([17], {})),
        ("[17]", "{}", ([17], {})),
        ("(1, -2.5, True, None, 'a b', [1, 2], {'x': 'y'})", "{}", None),
        ("()", "{'note': 'paid', 'lines': [{'n': 1}]}", None),
    ],
)
def test_a_plain_text_of_arguments_can_be_read(args: str, kwargs: str, found: Any) -> None:
    read = read_arguments(text_payload(args, kwargs))
    expected = found or (list(ast.literal_eval(args)), ast.literal_eval(kwargs))
    assert (read["args"], read["kwargs"]) == expected
    json.dumps(read)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ("(1, 2, ...)", "cut"),
        ("([...],)", "cut"),
        ("({...},)", "cut"),
        ("('a long tex...',)", "may be cut"),
        ("((1, 2),)", "no tuple"),
        ("({1, 2},)", "no set"),
        ("({1: 'a'},)", "a key is no text"),
        ("(b'a',)", "no bytes"),
        ("(1j,)", "no complex"),
        ("(datetime.date(2026, 1, 1),)", "more than plain values"),
        ("(<Order 17>,)", "more than plain values"),
        ("(nan,)", "more than plain values"),
        ("(1e999,)", "infinite"),
        ("('it's',)", "more than plain values"),
        (r"('a\', 'b',)", "backslash"),
        ("('a' 'b',)", "several things"),
        ("(0x11,)", "several things"),
        ("'****'", "no list"),
        ("('****')", "several things"),
        ("(1, 2", "more than plain values"),
        ("(" * 1_900, "more than plain values"),
        ("-" * 1_900 + "1", "more than plain values"),
        ("x" * 5_000, "longer"),
        ("('a\nb',)", "more than plain values"),
        ("__import__('os').system('true')", "more than plain values"),
    ],
)
def test_a_text_that_may_mean_something_else_is_refused(args: str, words: str) -> None:
    with pytest.raises(ArgumentsUnclear, match=words):
        read_arguments(text_payload(args))


def test_the_repair_reads_arguments_and_stores_nothing_that_is_unclear() -> None:
    repair = Repair(name="read_arguments")
    given = {**CALL, **text_payload("(17,)")}
    del given["args"], given["kwargs"]
    found = repair.apply(given, kind="celery_task")
    assert found.payload == {**given, "args": [17], "kwargs": {}}
    assert repair.apply(found.payload, kind="celery_task").refusal is Refusal.UNCHANGED
    unclear = repair.apply({**given, "args_text": "(1, ...)"}, kind="celery_task")
    assert unclear.refusal is Refusal.MISFIT
    assert "cut" in unclear.words


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"args": None, "arguments": "text"}, "arguments_text"),
        ({"args": None, "arguments": "encoded"}, "arguments_encoded"),
        ({"kwargs": None, "arguments": "large"}, "arguments_large"),
        ({"args": None, "arguments": "missing"}, "arguments_missing"),
        ({"args": None, "arguments": ["?"]}, "arguments_missing"),
        ({"args": "(1,)"}, "arguments_invalid"),
        ({"kwargs": []}, "arguments_invalid"),
        ({"task": ""}, "no_task"),
        ({"queue": "other"}, "other_queue"),
        ({"queue": 7}, "other_queue"),
    ],
)
def test_what_cannot_be_sent_truthfully_is_refused(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(TaskNotSendable, match=code) as caught:
        read_call({**CALL, **changes}, OPTIONS)
    assert caught.value.result == {"refused": code}


def test_without_a_broker_nothing_is_sent() -> None:
    assert read_call({**CALL, "queue": "mail"}, OPTIONS).queue == "mail"
    with pytest.raises(TaskNotSendable, match="no_broker"):
        read_call(CALL, {"queue": "celery"})


def test_an_edit_must_be_sendable() -> None:
    kind = CeleryTaskKind()
    assert kind.problems_with(CALL) == []
    assert kind.problems_with({**CALL, "lost_before": "2026-11-30T08:00:00Z"}) == []
    wrong = {"task": "", "args": "(1,)", "lost_before": "2026-11-30"}
    assert len(kind.problems_with(wrong)) == 5


def test_the_error_is_read_from_the_traceback_and_else_from_the_result() -> None:
    found = describe_failure("{}", TRACEBACK, encoding="utf-8")
    assert (found.error_class, "hunter2" in found.message) == ("CardDeclined", False)
    result = json.dumps({"exc_type": "WorkerLostError", "exc_message": ["died", 9]})
    found = describe_failure(result, "", encoding="utf-8")
    assert (found.error_class, found.message) == ("WorkerLostError", "died, 9")


@pytest.mark.parametrize(
    "result",
    ["", "null", "[]", "{", "[" * 50_000, '{"exc_type": 7, "exc_message": {"a": 1}}', "\0"],
)
def test_any_other_result_is_an_unknown_error(result: str) -> None:
    found = describe_failure(result, "", encoding="utf-8")
    assert found.error_class == "UnknownError"
    assert found.fingerprint
    assert "\0" not in found.message


def test_ids_are_uuids_of_our_own() -> None:
    given = {"source": "celery", "external_id": "a", "entry_id": 1}
    ids = {derive_id(**given, cycle=cycle) for cycle in range(200)}  # type: ignore[arg-type]
    assert len(ids) == 200
    assert all(
        UUID(id_).version == 8 and UUID(id_).variant == "specified in RFC 4122" for id_ in ids
    )
    assert all(id_.startswith(MARK) and str(UUID(id_)) == id_ for id_ in ids)
    assert derive_id(**given, cycle=7) == derive_id(**given, cycle=7)  # type: ignore[arg-type]


def test_no_process_imports_celery_before_it_sends() -> None:
    """Web and dispatcher never do; to import it takes a third of a second."""
    script = (
        "import django, sys; django.setup(); import retry.service, retry.admin.registrations;"
        "from entries.kinds import registry; registry.get('celery_task');"
        "print([name for name in ('celery', 'kombu') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
