"""The kind of source "http_json", over the wire."""

import json
from typing import Any

import pytest

from entries.errors import SourceError
from entries.sources import registry
from entries.sources.base import Invalid, Reading, SourceItem, SourceSpec
from tests.support.http import LocalServer

pytestmark = pytest.mark.usefixtures("private_addresses")


def spec(url: str, **options: object) -> SourceSpec:
    return SourceSpec("api", url, options)


def read(url: str, **options: object) -> Reading:
    return registry.get("http_json").read(spec(url, **options))


def refused(url: str, **options: object) -> SourceError:
    with pytest.raises(SourceError) as caught:
        list(read(url, **options).items)
    return caught.value


def row(number: int) -> dict[str, object]:
    return {"id": number, "title": f"T{number}"}


def item(number: int) -> SourceItem:
    return SourceItem(str(number), f"T{number}", row(number))


def asked(server: LocalServer) -> list[str]:
    return [request.path for request in server.received]


class TestOneAnswer:
    def test_a_list_of_objects(self, server: LocalServer) -> None:
        url = server.answer("/", json.dumps([row(1), row(2), 3, {"title": "x"}]))
        reading = read(url)
        assert reading.total == 4
        assert list(reading.items) == [
            item(1),
            item(2),
            Invalid("not a JSON object"),
            Invalid("without an id"),
        ]

    def test_where_things_are_is_said(self, server: LocalServer) -> None:
        found = {"meta": {"key": "k"}, "names": [{"en": "N"}]}
        url = server.answer("/", json.dumps({"data": {"rows": [found]}}))
        reading = read(url, items="data.rows", id_field="meta.key", title_field="names.0.en")
        assert list(reading.items) == [SourceItem("k", "N", found)]

    def test_validators_are_kept_and_sent_back(self, server: LocalServer) -> None:
        url = server.answer("/", "[]", headers={"ETag": '"1"', "Last-Modified": "yesterday"})
        reading = read(url)
        assert (reading.etag, reading.last_modified) == ('"1"', "yesterday")
        server.answer("/", status=304)
        again = SourceSpec("api", url, {}, etag='"1"', last_modified="yesterday")
        assert registry.get("http_json").read(again).not_modified
        assert server.received[-1].headers["if-none-match"] == '"1"'

    @pytest.mark.parametrize(
        ("body", "code", "message"),
        [
            (b"", "empty", "the answer is empty"),
            (b"<html></html>", "malformed", "broken JSON in line 1, column 1"),
            (b'[{"id": 1}', "malformed", "broken JSON"),
            (b"\xff\xfe", "malformed", "not UTF-8"),
            (b"[" * 100_000, "malformed", "nested too deep, or a number with too many digits"),
            (b"[[]," + b"[]," * 1_000_000 + b"1]", "too_large", "more than 1,000,000 lists"),
            (b'{"items": []}', "malformed", "the answer is an object, not a list"),
            (b"null", "malformed", "the answer is null"),
        ],
    )
    def test_what_makes_no_sense(
        self, server: LocalServer, body: bytes, code: str, message: str
    ) -> None:
        error = refused(server.answer("/", body))
        assert error.code == code
        assert message in str(error)

    def test_a_path_that_leads_nowhere(self, server: LocalServer) -> None:
        url = server.answer("/", '{"data": [1]}')
        assert "has null at 'data.5', not a list" in str(refused(url, items="data.5"))

    def test_too_large_refused_and_private(self, server: LocalServer, settings: Any) -> None:
        settings.REDRIVE_JSON_MAX_BYTES = 10
        assert refused(server.answer("/", json.dumps([row(1)]))).code == "too_large"
        assert refused(server.answer("/gone", status=404)).code == "http_error"
        assert refused(server.answer("/busy", status=503)).code == "http_error"
        settings.REDRIVE_ALLOW_PRIVATE_ADDRESSES = False
        assert refused(server.url("/")).code == "not_allowed"

    def test_too_slow(self, server: LocalServer, settings: Any) -> None:
        settings.REDRIVE_JSON_TIME_LIMIT = 0.2
        assert refused(server.answer("/", chunks=server.drip)).code == "timed_out"


class TestPages:
    def test_by_number_until_one_is_empty(self, server: LocalServer) -> None:
        for page, rows in ((0, [row(1), row(2)]), (1, [row(3)]), (2, [])):
            server.answer(f"/?q=a+b&n=2&p={page}", json.dumps(rows))
        url = server.url("/?q=a+b")
        reading = read(url, page_param="p", first_page=0, size_param="n", size=2)
        assert (reading.total, reading.etag) == (None, "")
        assert asked(server) == ["/?q=a+b&n=2&p=0"], "the others when they are wanted"
        assert list(reading.items) == [item(1), item(2), item(3)]
        assert len(asked(server)) == 3

    def test_by_cursor(self, server: LocalServer) -> None:
        server.answer("/", json.dumps({"rows": [row(1)], "next": "a/b=="}))
        server.answer("/?after=a%2Fb%3D%3D", json.dumps({"rows": [], "next": 7}))
        server.answer("/?after=7", json.dumps({"rows": [row(2)], "next": None}))
        found = read(server.url("/"), items="rows", cursor_path="next", cursor_param="after")
        assert list(found.items) == [item(1), item(2)]

    @pytest.mark.parametrize("absolute", [True, False])
    def test_by_address(self, server: LocalServer, absolute: bool) -> None:  # noqa: FBT001
        following = server.url("/2?x=1") if absolute else "/2?x=1"
        server.answer("/1", json.dumps({"rows": [row(1)], "links": {"next": following}}))
        server.answer("/2?x=1", json.dumps({"rows": [row(2)]}))
        with_password = server.url("/1").replace("://", "://me:secret@")
        found = read(with_password, items="rows", next_url_path="links.next")
        assert list(found.items) == [item(1), item(2)]
        assert [r.headers["authorization"] for r in server.received] == ["Basic bWU6c2VjcmV0"] * 2

    @pytest.mark.parametrize(
        ("following", "code", "message"),
        [
            ("https://other.example/", "not_allowed", "on another server, other.example"),
            ("http://127.0.0.1:1/", "not_allowed", "on another server"),
            ("file:///etc/passwd", "invalid_address", "the next page: only absolute http"),
            ("/1", "malformed", "page 2 is the same as an earlier one"),
            ({"url": "/2"}, "malformed", "page 1 gives an object as its next page"),
            (True, "malformed", "page 1 gives a boolean as its next page"),
            ("/gone", "http_error", "HTTP 404"),
        ],
    )
    def test_a_next_page_that_cannot_be(
        self, server: LocalServer, following: object, code: str, message: str
    ) -> None:
        url = server.answer("/1", json.dumps({"rows": [row(1)], "next": following}))
        server.answer("/gone", status=404)
        reading = read(url, items="rows", next_url_path="next")
        assert next(reading.items) == item(1)
        with pytest.raises(SourceError) as caught:
            next(reading.items)
        assert caught.value.code == code
        assert message in str(caught.value)

    def test_a_cursor_that_comes_again(self, server: LocalServer) -> None:
        for path, cursor in (("/", "a"), ("/?c=a", "b"), ("/?c=b", "a")):
            server.answer(path, json.dumps({"rows": [row(1)], "c": cursor}))
        error = refused(server.url("/"), items="rows", cursor_path="c", cursor_param="c")
        assert (error.code, str(error)) == ("malformed", "page 4 is the same as an earlier one")

    def test_an_api_that_does_not_know_pages(self, server: LocalServer) -> None:
        for page in (1, 2):
            server.answer(f"/?page={page}", json.dumps([row(1)]))
        error = refused(server.url("/"), page_param="page")
        assert str(error) == "page 2 is the same as an earlier one"

    def test_more_pages_than_allowed(self, server: LocalServer) -> None:
        for page in (1, 2, 3):
            server.answer(f"/?page={page}", json.dumps([row(page)]))
        reading = read(server.url("/"), page_param="page", max_pages=2)
        assert [next(reading.items), next(reading.items)] == [item(1), item(2)]
        with pytest.raises(SourceError, match=r"more than 2 pages \(see max_pages\)"):
            next(reading.items)

    def test_a_first_page_that_fails_fails_at_once(self, server: LocalServer) -> None:
        server.answer("/?page=1", "{}")
        with pytest.raises(SourceError, match="not a list"):
            read(server.url("/"), page_param="page")


class TestReadingSome:
    def test_without_an_address_for_items_all_is_read(self, server: LocalServer) -> None:
        url = server.answer("/", json.dumps([row(1), row(2)]))
        assert list(registry.get("http_json").read_some(spec(url), {"2"})) == [item(2)]
        assert not registry.get("http_json").reads_one_by_one(spec(url))

    def test_one_request_for_each(self, server: LocalServer) -> None:
        server.answer("/i/1", json.dumps({"data": row(1)}))
        server.answer("/i/2", status=404)
        server.answer("/i/3", status=410)
        odd = {"id": "a/b ?é#", "title": "odd"}
        server.answer("/i/a%2Fb%20%3F%C3%A9%23", json.dumps({"data": odd}))
        where = spec(server.url("/"), item_url=server.url("/i/{id}"), item="data")
        ids = ["1", "2", "3", "1", "a/b ?é#"]
        found = list(registry.get("http_json").read_some(where, ids))
        assert registry.get("http_json").reads_one_by_one(where)
        assert found == [item(1), SourceItem("a/b ?é#", "odd", odd)]
        assert len(server.received) == 4

    @pytest.mark.parametrize(
        ("status", "body", "message"),
        [
            (500, "", "HTTP 500"),
            (403, "", "HTTP 403"),
            (200, "", "the answer is empty"),
            (200, "[1]", "the answer for '1' is not a JSON object"),
            (200, '{"id": 2}', "asked for '1', the API gave '2'"),
            (200, "{}", "the answer for '1' is without an id"),
        ],
    )
    def test_what_is_no_answer_makes_nothing_gone(
        self, server: LocalServer, status: int, body: str, message: str
    ) -> None:
        server.answer("/1", body, status=status)
        where = spec(server.url("/"), item_url=server.url("/{id}"))
        with pytest.raises(SourceError, match=message):
            list(registry.get("http_json").read_some(where, ["1"]))


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"itmes": "a"}, "unknown option itmes"),
        ({"items": 1}, "option items: input should be a valid string"),
        ({"id_field": ""}, "option id_field: string should have at least 1 character"),
        ({"first_page": "1"}, "option first_page: input should be a valid integer"),
        ({"max_pages": 0}, "option max_pages: input should be greater than or equal to 1"),
        ({"cursor_path": "a"}, "cursor_path and cursor_param only make sense together"),
        ({"size": 10}, "size_param and size only make sense together"),
        (
            {"page_param": "p", "next_url_path": "n"},
            "choose one way of paging: cursor_path, next_url_path or page_param",
        ),
        ({"item_url": "https://a.example/"}, "option item_url: write {id} where the id goes"),
        ({"item": "data"}, "option item_url: write {id} where the id goes"),
        (
            {"item_url": "ftp://a.example/{id}"},
            "option item_url: only absolute http and https URLs are fetched, not ftp",
        ),
    ],
)
def test_options_are_checked(options: dict[str, object], problem: str) -> None:
    kind = registry.get("http_json")
    assert kind.problems_with(spec("https://a.example/", **options)) == [problem]
    assert refused("https://a.example/", **options).code == "invalid_options"


def test_the_location_is_checked() -> None:
    kind = registry.get("http_json")
    assert (
        kind.problems_with(spec("https://a.example/x", page_param="p", size_param="n", size=5))
        == []
    )
    assert kind.problems_with(spec("a.example")) == [
        "only absolute http and https URLs are fetched, not no scheme"
    ]
    assert refused("a.example").code == "invalid_address"
