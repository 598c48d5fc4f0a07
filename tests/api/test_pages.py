"""Never a page, never a redirect: whatever Django has one for is a problem under the API."""

from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from entries.errors import EntriesError
from retry.api.http.middleware import ApiMiddleware
from retry.api.http.problems import csrf_failure
from retry.api.http.resource import api_view
from retry.outcomes import Actor
from tests.api.calls import PREFIX, Caller, assert_sound, ok, problem

pytestmark = pytest.mark.django_db
METHODS = [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "PROPFIND",
]
PATHS = ["retry", "entries", "entries/1", "status", "nothing", ""]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("path", PATHS)
def test_every_method_of_every_address(api: Caller, method: str, path: str) -> None:
    answer = api.send(method, path)
    if path in {"nothing", ""}:
        assert answer.status_code == 404
    elif method == "OPTIONS":
        assert answer.status_code == 204
        assert "OPTIONS" in answer.headers["Allow"]
    elif method in {"GET", "HEAD"} and path != "retry":
        assert answer.status_code == (404 if path == "entries/1" else 200)
    elif method == "POST" and path in {"retry", "entries"}:
        problem(answer, 400, "malformed_json")
    else:
        assert answer.status_code == 405
        assert method not in answer.headers["Allow"]


def test_allow_lists_what_is_allowed(api: Caller) -> None:
    assert api.send("PUT", "entries").headers["Allow"] == "GET, HEAD, OPTIONS, POST"
    assert api.send("OPTIONS", "retry").headers["Allow"] == "OPTIONS, POST"


def test_head_is_get_without_its_body(api: Caller) -> None:
    head, get = api.send("HEAD", "status"), api.get("status")
    assert head.content == b""
    assert head.status_code == get.status_code


@pytest.mark.parametrize(
    "path",
    [
        "retry/", "entries/", "entries/1/", "status/", "/retry", "retry%0A", "retry%00", "..",
        "../", "retry;x=1", "login/", "jsi18n/", "%2e%2e/", "\\", "r%C3%A9try", "%FF", "<script>",
        "a" * 3000, "autocomplete/", "entries/1/delete/", "index.html", "static/x.css", "%250A",
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST", "BREW"])
def test_what_is_not_there(api: Caller, path: str, method: str) -> None:
    problem(api.send(method, path), 404, "not_found")


@given(path=st.text(max_size=40), method=st.sampled_from(METHODS))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_path(api: Caller, path: str, method: str) -> None:
    assert api.send(method, quote(path, safe="/")).status_code in {200, 204, 400, 404, 405, 415}


@pytest.mark.parametrize("path", ["/admin/api", "/admin/api/"])
def test_the_prefix_itself(api: Caller, anonymous: Caller, path: str) -> None:
    for caller, status in ((api, 404), (anonymous, 401)):
        answer: Any = caller.client.get(path)
        assert_sound(answer)
        assert answer.status_code == status


def test_beside_the_api_there_are_pages_as_ever(db: None) -> None:
    for path in ("/admin/", "/admin/apis", "/admin/api-docs/"):
        assert Client().get(path).status_code == 302


class TestDjangosOwnPages:
    def test_a_host_that_is_not_ours(self, api: Caller) -> None:
        for host in ("evil.example", "a b", "testserver:port"):
            problem(api.send("GET", "status", HTTP_HOST=host), 400, "bad_request")

    def test_plain_http_where_https_is_demanded(self, api: Caller, settings: Settings) -> None:
        settings.SECURE_SSL_REDIRECT = True
        answer = api.post("retry", {"entry_id": 1})
        problem(answer, 403, "https_required")
        assert "Location" not in answer.headers
        ok(api.send("GET", "entries", secure=True))

    def test_an_error_in_a_middleware(self, api: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*_: Any) -> None:
            raise RuntimeError("SECRET")

        monkeypatch.setattr("django.middleware.common.CommonMiddleware.process_request", broken)
        for debug in (False, True):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("django.conf.settings.DEBUG", debug)
                answer = api.get("status")
            problem(answer, 500, "internal_error")
            assert b"SECRET" not in answer.content

    def test_an_error_in_the_handling_of_an_error(self, rf: RequestFactory) -> None:
        def broken(_: HttpRequest) -> HttpResponse:
            raise OperationalError("SECRET")

        answer = ApiMiddleware(broken)(rf.get(PREFIX + "status"))
        assert_sound(answer)
        problem(answer, 503, "database_unavailable")

    def test_csrf_failures_of_a_view_that_is_not_exempt(self, rf: RequestFactory) -> None:
        ours = csrf_failure(rf.post("/admin/api/retry"), "because")
        assert problem(ours, 403, "csrf_failed")["detail"] == "because"
        page = csrf_failure(rf.post("/admin/"), "because")
        assert (page.status_code, page.headers["Content-Type"][:9]) == (403, "text/html")

    @pytest.mark.parametrize(
        ("status", "becomes", "code"),
        [
            (200, 500, "internal_error"),
            (302, 500, "internal_error"),
            (400, 400, "bad_request"),
            (403, 403, "permission_denied"),
            (404, 404, "not_found"),
            (413, 413, "body_too_large"),
            (429, 500, "internal_error"),
            (500, 500, "internal_error"),
        ],
    )
    def test_any_page(self, rf: RequestFactory, status: int, becomes: int, code: str) -> None:
        middleware = ApiMiddleware(lambda _: HttpResponse("<html>", status=status))
        answer = middleware(rf.get(PREFIX + "status"))
        assert_sound(answer)
        problem(answer, becomes, code)
        assert middleware(rf.get("/admin/")).content == b"<html>"


class TestWhatGoesWrongInside:
    """Injected: no view of today's fails in these ways."""

    def answer(self, rf: RequestFactory, operator: Any, error: Exception) -> HttpResponse:
        def failing(_request: HttpRequest, _actor: Actor) -> HttpResponse:
            raise error

        request = rf.get("/")
        request.user = operator
        return api_view(get=failing)(request)

    @pytest.mark.parametrize(
        ("error", "status", "code"),
        [
            (ValueError("SECRET"), 500, "internal_error"),
            (EntriesError("SECRET"), 500, "internal_error"),
            (KeyError("SECRET"), 500, "internal_error"),
            (RecursionError("SECRET"), 500, "internal_error"),
            (OperationalError("SECRET"), 503, "database_unavailable"),
            (InterfaceError("SECRET"), 503, "database_unavailable"),
        ],
    )
    def test_no_detail_gets_out(
        self, rf: RequestFactory, operator: Any, error: Exception, status: int, code: str
    ) -> None:
        answer = self.answer(rf, operator, error)
        problem(answer, status, code)
        assert b"SECRET" not in answer.content

    def test_a_mistake_of_ours_can_be_found_in_the_log(
        self, api: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def broken(*_: Any) -> None:
            raise RuntimeError("SECRET")

        monkeypatch.setattr(SessionStore, "load", broken)
        body = problem(api.get("status"), 500, "internal_error")
        [mistake] = [r for r in caplog.records if r.message == "api.internal_error"]
        assert mistake.exc_info is not None
        [finished] = [r.msg for r in caplog.records if "request_finished" in str(r.msg)]
        assert body["request_id"] in str(finished)

    def test_a_session_store_that_fails(self, api: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
        def away(*_: Any) -> None:
            raise OperationalError("gone")

        monkeypatch.setattr(SessionStore, "load", away)
        answer = api.get("status")
        problem(answer, 503, "database_unavailable")
        assert answer.headers["Retry-After"] == "5"
