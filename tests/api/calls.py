"""Calling the API as somebody, and what every answer has to be."""

import json
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from django.test import Client

from retry.api.http.problems import TITLES
from tests.api import document

if TYPE_CHECKING:
    from django.contrib.auth.models import User

PREFIX = "/admin/api/"


class Caller:
    """A browser session of ``user``, or nobody; errors come back as they would over the wire."""

    def __init__(self, user: "User | None" = None, *, token: str = "", csrf: bool = False) -> None:
        self.client = Client(enforce_csrf_checks=csrf, raise_request_exception=False)
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        if user is not None:
            self.client.force_login(user)

    def get(self, path: str, **query: Any) -> HttpResponse:
        response = self.client.get(PREFIX + path, query, headers=self.headers)
        return self._sound(response, "GET", path)

    def post(self, path: str, body: object) -> HttpResponse:
        return self.send("POST", path, json.dumps(body).encode())

    def send(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        content_type: str = "application/json",
        headers: dict[str, str] | None = None,
        secure: bool = False,
        **environ: Any,
    ) -> HttpResponse:
        return self._sound(
            self.client.generic(
                method,
                PREFIX + path,
                body,
                content_type=content_type,
                secure=secure,
                headers=self.headers | (headers or {}),
                # Django's client leaves it out where there is no body.
                **{"CONTENT_TYPE": content_type, **environ},
            ),
            method,
            path,
        )

    def _sound(self, response: Any, method: str, path: str) -> HttpResponse:
        found: HttpResponse = response
        assert_sound(found)
        document.check(method, path, found)
        assert found.headers["X-Request-ID"]
        return found


def assert_sound(response: HttpResponse) -> None:
    """JSON, not to be cached, not to be guessed at, and no redirect: true of every answer."""
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.status_code == 304 or not 300 <= response.status_code < 400
    if response.status_code in {204, 304}:
        assert "Content-Type" not in response.headers
        assert response.content == b""
        return
    kind = "application/json" if response.status_code < 400 else "application/problem+json"
    assert response.headers["Content-Type"] == kind


def problem(response: HttpResponse, status: int, code: str) -> dict[str, Any]:
    """The problem's members, after making sure that it is this one."""
    body: dict[str, Any] = json.loads(response.content)
    assert (response.status_code, body["code"]) == (status, code), body
    assert body["status"] == status
    assert body["type"] == f"urn:redrive:problem:{code}"
    assert body["title"] == TITLES[code]
    assert body["detail"]
    return body


def fields(response: HttpResponse) -> dict[str, str]:
    """What an ``invalid_request`` says, by field."""
    errors = problem(response, 422, "invalid_request")["errors"]
    named = {error["field"]: error["message"] for error in errors}
    assert len(named) == len(errors)
    return named


def ok(response: HttpResponse, status: int = 200) -> Any:
    assert response.status_code == status, response.content
    return json.loads(response.content)
