"""The API answers in English, whatever language is asked for."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.api.calls import Caller
from tests.api.walking import BODIES, READ, addresses, furnish, path_of
from tests.support.languages import OPEN, marked_language

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db
GERMAN = {"Accept-Language": "de"}


@pytest.mark.parametrize("name", addresses())
def test_every_answer_is_the_same_in_german(api: Caller, name: str) -> None:
    furnish()
    method = "GET" if name in READ else "POST"
    for body in ({"unknown": 1}, BODIES.get(name, {})):
        sent = b"" if method == "GET" else json.dumps(body).encode()
        with marked_language():
            answer = api.send(method, path_of(name), sent, headers=GERMAN)
        assert OPEN not in answer.content.decode()
        assert answer.headers["Content-Language"] == "en"


@pytest.mark.parametrize("name", addresses())
def test_every_refusal_is_the_same_in_german(powerless: "User", name: str) -> None:
    furnish()
    for caller in (Caller(), Caller(powerless), Caller(powerless, csrf=True)):
        answers: list[Any] = []
        for headers in ({}, GERMAN):
            with marked_language():
                answers.append(caller.send("POST", path_of(name), b"{}", headers=headers))
        assert answers[0].content == answers[1].content
        assert OPEN not in answers[1].content.decode()


def test_what_is_refused_of_a_body_is_said_in_english(api: Caller) -> None:
    items = [{"external_id": " ", "payload": {}}, {"external_id": "a\t", "payload": {}}]
    with marked_language():
        answer = api.send(
            "POST",
            path_of("entries"),
            json.dumps({"kind": "page", "entries": items}).encode(),
            headers=GERMAN,
        )
    assert answer.status_code == 422
    assert "must not be blank" in answer.content.decode()
    assert OPEN not in answer.content.decode()
