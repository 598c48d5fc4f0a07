"""What may come as a body of ``POST retry``, and what it is told."""

import json
from io import BytesIO, IOBase, RawIOBase
from typing import Any

import pytest
from django.http import HttpResponse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from entries.models import Entry
from retry.models import Run
from tests.api.calls import Caller, fields, ok, problem
from tests.factories.entries import EntryFactory

pytestmark = pytest.mark.django_db

MALFORMED = {
    "empty": b"",
    "spaces": b"  \n",
    "words": b"retry 42, please",
    "cut off": b'{"entry_id": 4',
    "two values": b'{"entry_id": 42} {"entry_id": 43}',
    "trailing comma": b'{"entry_id": 42,}',
    "single quotes": b"{'entry_id': 42}",
    "NaN": b'{"entry_id": NaN}',
    "Infinity": b'{"entry_id": -Infinity}',
    "twice": b'{"entry_id": 42, "entry_id": 43}',
    "twice, further down": b'{"entry_id": 42, "reason": {"a": 1, "a": 1}}',
    "byte order mark": b'\xef\xbb\xbf{"entry_id": 42}',
    "UTF-16": '{"entry_id": 42}'.encode("utf-16"),
    "Latin-1": '{"entry_id": 42, "reason": "déjà vu"}'.encode("latin-1"),
    "surrogates as bytes": b'{"entry_id": 42, "reason": "\xed\xa0\x80"}',
    "surrogate as an escape": b'{"entry_id": 42, "reason": "\\ud800"}',
    "bare NUL": b'{"entry_id": 42, "reason": "\x00"}',
    "leading zero": b'{"entry_id": 042}',
    "form": b"entry_id=42&reason=x",
    "nested lists": b"[" * 100_000,
    "nested objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "nested in a field": b'{"entry_id": ' + b"[" * 500 + b"]" * 500 + b"}",
    "five thousand digits": b'{"entry_id": ' + b"9" * 5000 + b"}",
}

#: Value -> the fields that are named.
WRONG = {
    "[]": {"body"},
    "[42]": {"body"},
    "42": {"body"},
    '"42"': {"body"},
    "null": {"body"},
    "true": {"body"},
    "{}": {"entry_id"},
    '{"id": 42}': {"entry_id", "id"},
    '{"entry_id": "42"}': {"entry_id"},
    '{"entry_id": 42.0}': {"entry_id"},
    '{"entry_id": 42.5}': {"entry_id"},
    '{"entry_id": 4e1}': {"entry_id"},
    '{"entry_id": true}': {"entry_id"},
    '{"entry_id": null}': {"entry_id"},
    '{"entry_id": [42]}': {"entry_id"},
    '{"entry_id": {"$gt": 0}}': {"entry_id"},
    '{"entry_id": -42}': {"entry_id"},
    '{"entry_id": 0}': {"entry_id"},
    '{"entry_id": 1000000000000000000000000000000}': {"entry_id"},
    '{"entry_id": 9223372036854775808}': {"entry_id"},
    '{"entry_id": 42, "reason": null}': {"reason"},
    '{"entry_id": 42, "reason": 7}': {"reason"},
    '{"entry_id": 42, "reason": "\\u0000"}': {"reason"},
    '{"entry_id": 42, "force": true}': {"force"},
    '{"entry_id": 42, "Entry_id": 42}': {"Entry_id"},
    '{"entry_id": "x", "reason": [], "a": 1, "b": 2}': {"entry_id", "reason", "a", "b"},
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_not_json(api: Caller, body: bytes) -> None:
    problem(api.send("POST", "retry", body), 400, "malformed_json")


@pytest.mark.parametrize(("body", "named"), WRONG.items())
def test_what_has_the_wrong_shape_is_told_field_by_field(
    api: Caller, body: str, named: set[str]
) -> None:
    assert fields(api.send("POST", "retry", body.encode())).keys() == named


def test_the_reason_may_have_five_hundred_characters(api: Caller) -> None:
    body = {"entry_id": EntryFactory.create(failed=True).id, "reason": "🜚" * 500}
    ok(api.post("retry", body), 202)
    assert Run.objects.get().reason == body["reason"]
    assert "500" in fields(api.post("retry", {"entry_id": 1, "reason": "x" * 501}))["reason"]


def test_a_message_says_nothing_of_pydantic_and_repeats_no_input(api: Caller) -> None:
    answer = api.post("retry", {"entry_id": "SECRET", "reason": "\x00SECRET"})
    text = json.dumps(problem(answer, 422, "invalid_request"))
    assert "pydantic" not in text
    assert "Value error" not in text
    assert "SECRET" not in text


def test_very_many_wrong_fields_make_a_short_answer(api: Caller) -> None:
    answer = api.post("retry", {f"{'x' * 1000}{n}": n for n in range(500)})
    assert len(problem(answer, 422, "invalid_request")["errors"]) == 50
    assert len(answer.content) < 20_000


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON;charset=UTF-8",
        "application/json; charset=iso-8859-1",
        "application/json; profile=x; charset=nonsense",
    ],
)
def test_json_by_any_spelling(api: Caller, content_type: str) -> None:
    """RFC 8259: JSON is UTF-8, whatever a charset parameter says."""
    entry = EntryFactory.create(failed=True)
    body = json.dumps({"entry_id": entry.id, "reason": "déjà vu"}, ensure_ascii=False).encode()
    ok(api.send("POST", "retry", body, content_type=content_type), 202)
    assert Run.objects.get().reason == "déjà vu"


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "text/json",
        "application/jsonp",
        "application/merge-patch+json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "application/json, text/plain",
        "; application/json",
    ],
)
@pytest.mark.parametrize("csrf", [False, True], ids=["", "with a CSRF check"])
def test_another_content_type(operator: None, content_type: str, csrf: bool) -> None:  # noqa: FBT001
    caller = Caller(operator, csrf=csrf)
    answer = caller.send("POST", "retry", b'{"entry_id": 1}', content_type=content_type)
    if csrf and answer.status_code == 403:
        problem(answer, 403, "csrf_failed")
    else:
        problem(answer, 415, "unsupported_media_type")


def test_a_body_that_is_too_large(api: Caller) -> None:
    entry = EntryFactory.create(failed=True)
    room = 1_000_000 - len(b'{"entry_id": %d}' % entry.id)
    fits = b'{"entry_id": %d%s}' % (entry.id, b" " * room)
    problem(api.send("POST", "retry", fits + b" "), 413, "body_too_large")
    problem(api.send("POST", "retry", b"x" * 3_000_000), 413, "body_too_large")
    ok(api.send("POST", "retry", fits), 202)


class TestFraming:
    """As web servers hand it on; over a real one in ``test_real_server``."""

    def test_chunked_where_the_server_knows_the_end(self, api: Caller) -> None:
        entry = EntryFactory.create(failed=True)
        answer = chunked(api, BytesIO(b'{"entry_id": %d}' % entry.id), ends=True)
        ok(answer, 202)

    def test_chunked_and_endless(self, api: Caller) -> None:
        problem(chunked(api, Endless(), ends=True), 413, "body_too_large")

    def test_chunked_where_the_server_does_not(self, api: Caller) -> None:
        problem(chunked(api, Endless(), ends=False), 411, "length_required")

    def test_a_connection_that_is_lost(self, api: Caller) -> None:
        problem(chunked(api, Lost(), ends=True), 400, "malformed_json")


class Endless(RawIOBase):
    def read(self, size: int = -1) -> bytes:
        return b" " * size


class Lost(RawIOBase):
    def read(self, size: int = -1) -> bytes:
        raise ConnectionResetError


def chunked(api: Caller, stream: IOBase, *, ends: bool) -> HttpResponse:
    environ: dict[str, Any] = {
        "wsgi.input": stream,
        "wsgi.input_terminated": ends,
        "CONTENT_LENGTH": "",
    }
    return api.send("POST", "retry", headers={"Transfer-Encoding": "chunked"}, **environ)


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("entry_id"), inner),
    ).map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass"))
)
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_whatever_comes_is_answered_with_a_client_error(api: Caller, body: bytes) -> None:
    assert api.send("POST", "retry", body).status_code in {400, 404, 422}
    assert not Entry.objects.exists()
