"""The kind "page"."""

import hashlib
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entries.errors import PermanentError, TransientError
from entries.kinds import registry
from entries.kinds.base import AttemptData, EntryData
from entries.kinds.page import PageKind, extract_title
from tests.support.http import LocalServer

pytestmark = pytest.mark.usefixtures("private_addresses")

ATTEMPT = AttemptData(number=1, run_id="r", trigger="submit", idempotency_key="k")


def process(payload: dict[str, Any]) -> dict[str, Any]:
    entry = EntryData(
        id=1, kind="page", source="news", external_id="1", title="One", payload=payload
    )
    return dict(registry.get("page").process(entry, ATTEMPT) or {})


def test_what_it_notes_of_a_page(server: LocalServer) -> None:
    body = "<!doctype html><title>\n Caf\u00e9 &amp; more </title><p>hello".encode()
    url = server.answer("/a", body, headers={"Content-Type": "text/html; charset=utf-8"})
    result = process({"url": url})
    assert result.pop("elapsed_ms") >= 0
    assert result == {
        "status": 200,
        "title": "Café & more",
        "sha256": hashlib.sha256(body).hexdigest(),
        "size": len(body),
        "url": url,
    }


def test_the_url_is_where_the_redirects_ended(server: LocalServer) -> None:
    server.answer("/new", "x")
    url = server.answer("/old", status=301, headers={"Location": "/new"})
    assert process({"url": url})["url"] == server.url("/new")


def test_a_password_in_the_url_is_not_in_the_result(server: LocalServer) -> None:
    server.answer("/a", "x")
    result = process({"url": f"http://me:pw@127.0.0.1:{server.port}/a"})
    assert result["url"] == server.url("/a")


@pytest.mark.parametrize(
    "payload", [{}, {"url": None}, {"url": 17}, {"url": ""}, {"url": "  "}, {"url": ["http://x"]}]
)
def test_a_payload_without_an_address_cannot_be_mended(payload: dict[str, Any]) -> None:
    with pytest.raises(PermanentError, match='the payload has no "url"'):
        process(payload)


def test_a_busy_server_may_be_asked_again(server: LocalServer) -> None:
    url = server.answer("/page/1", status=503, headers={"Retry-After": "7"})
    with pytest.raises(TransientError, match=f"^HTTP 503 from {url}$") as caught:
        process({"url": url})
    assert caught.value.retry_after == 7


def test_a_missing_page_stays_missing(server: LocalServer) -> None:
    with pytest.raises(PermanentError, match=r"^HTTP 404 from "):
        process({"url": server.url("/nothing")})


def test_a_large_page_is_refused(server: LocalServer, settings: Any) -> None:
    settings.REDRIVE_PAGE_MAX_BYTES = 1000
    with pytest.raises(PermanentError, match="more than 1,000"):
        process({"url": server.answer("/a", b"x" * 1001)})


def test_private_addresses_are_refused(server: LocalServer, settings: Any) -> None:
    settings.REDRIVE_ALLOW_PRIVATE_ADDRESSES = False
    with pytest.raises(PermanentError, match="not a public address"):
        process({"url": server.answer("/a", "x")})
    assert server.received == []


def test_it_gives_up_before_the_worker_would(
    server: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PageKind, "time_limit", 0.5)
    before = time.monotonic()
    with pytest.raises(TransientError, match=r"timed out after 0\.45 s fetching http"):
        process({"url": server.answer("/a", chunks=server.drip)})
    assert time.monotonic() - before < 0.5


class TestTitle:
    @pytest.mark.parametrize(
        ("body", "title"),
        [
            (b"", ""),
            (b"<html><body>no title", ""),
            (b"<title>never closed", ""),
            (b"<TITLE lang=en>Big</TITLE>", "Big"),
            (b"<title>one</title><title>two</title>", "one"),
            (b"<title>a<script>alert(1)</script>b</title>", "ab"),
            (b"<title>&lt;script&gt;alert(1)&lt;/script&gt;</title>", "<script>alert(1)</script>"),
            (b"<title>nul\x00 and \xff\xfe</title>", "nul\ufffd and \ufffd\ufffd"),
            (b"<title>&#0;&#xd800;</title>", "\ufffd\ufffd"),
            (b"<title>" + b"x" * 1000 + b"</title>", "x" * 299 + "…"),
            (b"\x00\x01\x02 not html at all", ""),
            (b"x" * 70_000 + b"<title>too late</title>", ""),
        ],
    )
    def test_of_any_body(self, body: bytes, title: str) -> None:
        assert extract_title(body, content_type="") == title

    @pytest.mark.parametrize(
        ("encoding", "content_type", "head"),
        [
            ("iso-8859-1", "text/html; charset=ISO-8859-1", ""),
            ("cp1251", "text/html", '<meta charset="windows-1251">'),
            ("cp1252", "text/html; charset=ISO-8859-1", "<meta charset=iso-8859-1>"),
            ("shift_jis", 'text/html;charset="Shift_JIS"', ""),
            ("utf-16", "text/html", ""),
            ("utf-8-sig", "text/html; charset=latin1", ""),
            ("utf-8", "text/html; charset=no-such-thing", ""),
            ("utf-8", "text/html; charset=punycode", ""),
            ("utf-8", "text/html; charset=hex", ""),
            ("utf-8", "text/html; charset=unicode_escape", ""),
        ],
    )
    def test_in_any_encoding(self, encoding: str, content_type: str, head: str) -> None:
        text = {"cp1251": "Привет", "shift_jis": "日本", "cp1252": "“Preis” 5 €"}.get(
            encoding, "Café"
        )
        body = f"{head}<title>{text}</title>".encode(encoding)
        assert extract_title(body, content_type=content_type) == text

    @given(st.binary(), st.text(max_size=60))
    def test_of_any_bytes(self, body: bytes, content_type: str) -> None:
        extract_title(b"<title>" + body + b"</title>", content_type=content_type).encode()

    @pytest.mark.parametrize("piece", [b"<title", b"<title>", b"charset=", b"<", b"</title"])
    def test_hostile_pages_are_quick(self, piece: bytes) -> None:
        extract_title(piece * 500_000, content_type="")
