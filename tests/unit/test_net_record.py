"""What of an exchange is kept: bounded, clean, and without secrets."""

import json
from typing import Any

import httpx
import pytest

from entries.net import Answer
from entries.net.record import KEPT, READ, Record
from entries.net.urls import parse
from entries.text import clean_json

SECRET = "hunter/2+hunter22"
URL = "https://me:passw0rd@hooks.example:8443/in/42?token=t0psecret&v=1#part"


def record(*secrets: str, url: str = URL) -> Record:
    return Record(parse(url), secrets=secrets)


def response(
    body: bytes = b"", headers: dict[str, str] | None = None, *, cut: bool = False
) -> dict[str, Any]:
    answer = Answer("https://x/", 200, httpx.Headers(headers), body, 0.1, cut)
    return record(SECRET).response(answer)


def test_the_address_is_shown_without_what_is_secret_in_it() -> None:
    told = record().request("POST", headers={}, body=b"{}")
    assert told == {
        "method": "POST",
        "url": "https://hooks.example:8443/in/42?…",
        "headers": {},
        "body": "{}",
    }


@pytest.mark.parametrize(
    "name",
    [
        *("Authorization", "Proxy-Authorization", "webhook-signature", "X-Hub-Signature-256"),
        *("Set-Cookie", "Cookie", "X-Api-Key", "X-CSRF-Token", "Session-Id", "x-amz-credential"),
    ],
)
def test_headers_that_carry_secrets_are_masked(name: str) -> None:
    assert response(headers={name: "s3cr3t value"})["headers"] == {name.lower(): "***"}


def test_other_headers_are_not() -> None:
    harmless = {"retry-after": "7", "idempotency-key": "k-1", "www-authenticate": "Basic"}
    assert response(headers=harmless)["headers"] == harmless


@pytest.mark.parametrize(
    "echo",
    [
        SECRET,
        "hunter%2F2%2Bhunter22",
        "hunter\\/2+hunter22",
        "t0psecret",
        "passw0rd",
        '{"webhook-signature": "v1,abcdef"}',
        "Authorization: Basic bWU6cGFzc3cwcmQ=",
        "https://me:passw0rd@hooks.example/",
    ],
)
def test_a_server_that_says_what_it_was_sent_gives_nothing_away(echo: str) -> None:
    told = json.dumps(response(f"got {echo} !".encode(), {"location": echo, "x-echo": echo}))
    for secret in ("hunter", "t0psecret", "passw0rd", "bWU6", "abcdef"):
        assert secret not in told


def test_a_secret_on_the_edge_of_what_is_kept_is_not_cut_into_view() -> None:
    body = "x" * (KEPT - 8) + SECRET
    assert "hunt" not in response(body.encode())["body"]


def test_what_is_long_is_cut_and_says_so() -> None:
    told = response(b"x" * READ, {f"x-{n}": "y" * 1000 for n in range(100)})
    assert len(told["body"]) == KEPT
    assert told["cut"] is True
    assert len(told["headers"]) == 30
    assert max(map(len, told["headers"].values())) == 300
    assert response(b"short", cut=True)["cut"] is True
    assert "cut" not in response(b"x" * KEPT)


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        ("Grüße".encode(), "text/plain; charset=utf-8", "Grüße"),
        ("Grüße".encode("latin-1"), "text/plain; charset=iso-8859-1", "Grüße"),
        ("Grüße".encode()[:3], "text/plain", "Gr\ufffd"),
        (b"\x00\xff\x1b[31m", "application/octet-stream", "\ufffd\ufffd\ufffd[31m"),
        (b"abc", "text/plain; charset=rot13", "abc"),
    ],
)
def test_any_bytes_become_text_that_can_be_stored(
    body: bytes, content_type: str, text: str
) -> None:
    told = response(body, {"content-type": content_type})
    assert told["body"] == text
    assert clean_json(told, max_bytes=64 * 1024) == told


def test_short_values_of_a_query_mask_nothing() -> None:
    told = record(url="https://x/?v=1").request("POST", headers={}, body=b'{"n": 1}')
    assert told["body"] == '{"n": 1}'
