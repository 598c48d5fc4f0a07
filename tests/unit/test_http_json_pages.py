"""Where the pages of a JSON API end, and what of them could not be read."""

import json
import time

import pytest

from entries.sources.base import Invalid, Note, SourceItem
from entries.sources.http_json.pages import find_next_link
from tests.support.http import LocalServer
from tests.unit.test_http_json import item, read, refused, row

pytestmark = pytest.mark.usefixtures("private_addresses")


class TestEnds:
    @pytest.mark.parametrize("status", [404, 410])
    @pytest.mark.parametrize(("last", "partial"), [([row(3), row(4)], True), ([row(3)], False)])
    def test_no_page_behind_the_last_is_the_end(
        self,
        server: LocalServer,
        status: int,
        last: list[dict[str, object]],
        partial: bool,  # noqa: FBT001
    ) -> None:
        server.answer("/?page=1", json.dumps([row(1), row(2)]))
        server.answer("/?page=2", json.dumps(last))
        server.answer("/?page=3", status=status)
        *items, note = read(server.url("/"), page_param="page").items
        assert items == [item(n) for n in range(1, 3 + len(last))]
        answer = f"HTTP {status} from {server.url('/')}?…"
        text = f"page 3 does not exist ({answer}), so the pages end before it"
        assert note == Note(text, partial=partial), "a full page may not have been the last"

    def test_a_page_that_fails_is_no_end(self, server: LocalServer) -> None:
        server.answer("/?page=1", json.dumps([row(1)]))
        server.answer("/?page=2", status=500)
        assert refused(server.url("/"), page_param="page").code == "http_error"
        server.answer("/?page=1", status=404)
        assert refused(server.url("/"), page_param="page").code == "http_error"

    def test_an_empty_page_that_names_itself_is_the_end(self, server: LocalServer) -> None:
        for path, rows, cursor in (
            ("/", [row(1)], "a"),
            ("/?c=a", [row(2)], "b"),
            ("/?c=b", [], "b"),
        ):
            server.answer(path, json.dumps({"rows": rows, "c": cursor}))
        found = read(server.url("/"), items="rows", cursor_path="c", cursor_param="c")
        assert list(found.items) == [item(1), item(2)]
        server.answer("/2", json.dumps({"rows": [], "next": "/2"}))
        server.answer("/1", json.dumps({"rows": [row(1)], "next": "/2"}))
        found = read(server.url("/1"), items="rows", next_url_path="next")
        assert list(found.items) == [item(1)]

    def test_the_next_address_is_seen_from_behind_a_redirect(self, server: LocalServer) -> None:
        server.answer("/items", status=301, headers={"Location": server.url("/v2/items")})
        server.answer("/v2/items", json.dumps({"rows": [row(1)], "next": "?page=2"}))
        server.answer("/v2/items?page=2", json.dumps({"rows": [row(2)]}))
        with_password = server.url("/items").replace("://", "://me:secret@")
        found = read(with_password, items="rows", next_url_path="next")
        assert list(found.items) == [item(1), item(2)]
        assert all("authorization" in request.headers for request in server.received)

    def test_credentials_stay_behind_where_a_redirect_led_elsewhere(
        self, server: LocalServer
    ) -> None:
        there = server.url("/v2", host="localhost")
        server.answer("/items", status=301, headers={"Location": there})
        server.answer("/v2", json.dumps({"rows": [row(1)], "next": "/v2?page=2"}))
        server.answer("/v2?page=2", json.dumps({"rows": [row(2)]}))
        with_password = server.url("/items").replace("://", "://me:secret@")
        found = read(with_password, items="rows", next_url_path="next")
        assert list(found.items) == [item(1), item(2)]
        assert ["authorization" in request.headers for request in server.received] == [
            True,
            False,
            False,
        ]


class TestLinkHeader:
    @pytest.mark.parametrize(
        "link",
        [
            "<{}>; rel=next",
            '<{}>; rel="prev next"',
            '</0>; rel="prev", <{}>; title="a, b; <c>"; rel="NEXT"',
            "</9>;rel=last,<{}>;rel=next",
        ],
    )
    @pytest.mark.parametrize("absolute", [True, False])
    def test_the_next_page_is_read(
        self,
        server: LocalServer,
        link: str,
        absolute: bool,  # noqa: FBT001
    ) -> None:
        following = server.url("/2") if absolute else "2"
        headers = {"Link": link.format(following), "ETag": '"1"'}
        server.answer("/1", json.dumps([row(1)]), headers=headers)
        server.answer("/2", json.dumps([row(2)]), headers={"Link": "</1>; rel=prev"})
        reading = read(server.url("/1"))
        assert (reading.total, reading.etag) == (None, ""), "page 1 says nothing of page 2"
        assert list(reading.items) == [item(1), item(2)]

    @pytest.mark.parametrize("link", ["https://other.example/2", "ftp://127.0.0.1/2"])
    def test_one_that_is_not_read_makes_nothing_gone(self, server: LocalServer, link: str) -> None:
        url = server.answer("/1", json.dumps([row(1)]), headers={"Link": f"<{link}>; rel=next"})
        found, note = read(url).items
        assert found == item(1)
        assert isinstance(note, Note)
        assert note.partial
        assert note.text.startswith("a Link header names a next page, which was not read: ")

    def test_a_way_of_paging_that_was_chosen_counts(self, server: LocalServer) -> None:
        headers = {"Link": "</2>; rel=next"}
        server.answer("/1", json.dumps({"rows": [row(1)], "next": None}), headers=headers)
        assert list(read(server.url("/1"), items="rows", next_url_path="next").items) == [item(1)]

    def test_in_circles(self, server: LocalServer) -> None:
        url = server.answer("/1", json.dumps([row(1)]), headers={"Link": "</1>; rel=next"})
        assert str(refused(url)) == "page 2 is the same as an earlier one"

    @pytest.mark.parametrize("piece", ["<", "<a>;", '<a>;"', ",", "; rel=", '<a>; rel="'])
    def test_hostile_ones_are_quick(self, piece: str) -> None:
        before = time.monotonic()
        assert find_next_link([piece * 1_000_000]) == ""
        assert time.monotonic() - before < 2


class TestDamage:
    def test_a_bad_byte_is_one_character_and_changes_no_id(self, server: LocalServer) -> None:
        body = json.dumps([row(1), {"id": "ca?", "title": "x"}, {"id": 3, "title": "Caf?"}])
        found = list(read(server.answer("/", body.encode().replace(b"?", b"\xe9"))).items)
        assert isinstance(found[0], Note)
        assert found[0].partial
        assert found[1:] == [
            item(1),
            Invalid("its id has bytes that cannot be decoded"),
            SourceItem("3", "Caf\ufffd", {"id": 3, "title": "Caf\ufffd"}),
        ]

    @pytest.mark.parametrize("status", [206, 226])
    def test_a_part_that_nobody_asked_for_is_no_whole(
        self, server: LocalServer, status: int
    ) -> None:
        assert "a part" in str(refused(server.answer("/", "[]", status=status)))
