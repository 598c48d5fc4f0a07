"""Requests that Django itself does not survive, and what stands in front of it."""

from io import BytesIO
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest

from config.wsgi import application

pytestmark = pytest.mark.django_db


def call(content_type: str, *, path: str = "/admin/api/retry", query: str = "") -> tuple[str, str]:
    """Status and content type of the answer to a POST by nobody."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "HTTP_HOST": "localhost",
        "CONTENT_TYPE": content_type,
        "wsgi.input": BytesIO(),
    }
    setup_testing_defaults(environ)
    answers: list[tuple[str, str]] = []

    def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> Any:
        answers.append((status, dict(headers)["Content-Type"]))

    application(environ, start_response).close()
    [answer] = answers
    return answer


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=utf-8",
        "application/json; charset=hex",
        "application/json; charset=idna",
        "application/json; charset=undefined",
        "application/json; charset=unheard-of",
        "application/json; charset*=nonsense''x",
        "application/json; x*=nonsense''x",
        "application/json; charset*0*=utf-8''a; charset*1=b",
        "multipart/form-data; boundary=x; charset=rot13",
        ";;;=;",
    ],
)
@pytest.mark.parametrize(
    "query", ["", "q=%FF", "&".join(["a=1"] * 2000)], ids=["", "bytes", "many"]
)
def test_a_strange_header_is_no_page(content_type: str, query: str) -> None:
    assert call(content_type, query=query) == ("401 Unauthorized", "application/problem+json")


def test_forms_with_a_charset_keep_their_boundary() -> None:
    status, _ = call("multipart/form-data; boundary=x; charset=utf-8", path="/admin/login/")
    assert status == "403 Forbidden"  # the form was read, and had no CSRF token in it
