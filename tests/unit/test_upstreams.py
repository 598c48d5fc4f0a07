"""What entries depend on: as kinds say it, and what they get wrong."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entries.kinds import registry, upstreams
from entries.kinds.upstreams import derive_upstream, has_upstreams


@pytest.mark.parametrize(
    ("url", "upstream"),
    [
        ("https://example.com/a?b#c", "example.com"),
        ("https://EXAMPLE.com:443/a", "example.com"),
        ("http://example.com:80", "example.com"),
        ("http://example.com:8080/a", "example.com:8080"),
        ("https://user:pass@example.com/a", "example.com"),
        ("https://bücher.example/", "xn--bcher-kva.example"),
        ("http://[2001:DB8::1]:8080/", "[2001:db8::1]:8080"),
        ("http://[2001:db8::1]/", "[2001:db8::1]"),
        ("http://192.0.2.1/", "192.0.2.1"),
        ("  https://example.com ", "example.com"),
        ("ftp://example.com/", ""),
        ("/relative", ""),
        ("http://", ""),
        ("https://example.com:99999/", ""),
        ("http://[::1", ""),
        ("nonsense", ""),
        ("", ""),
        (None, ""),
        (7, ""),
    ],
)
def test_a_page_depends_on_its_host(url: object, upstream: str) -> None:
    assert derive_upstream("page", {"url": url}, source="news") == upstream


@pytest.mark.parametrize(
    ("payload", "source", "upstream"),
    [
        ({"endpoint": "crm"}, None, "crm"),
        ({"endpoint": "crm"}, "shop", "crm"),
        ({}, "shop", "shop"),
        ({"endpoint": 7}, "shop", "shop"),
        ({}, None, ""),
        ({"endpoint": ""}, "shop", ""),
    ],
)
def test_a_webhook_depends_on_its_endpoint(
    payload: Mapping[str, Any], source: str | None, upstream: str
) -> None:
    assert derive_upstream("webhook", payload, source=source) == upstream


def test_most_kinds_have_none() -> None:
    assert not has_upstreams(registry.get("scripted"))
    assert has_upstreams(registry.get("page"))
    assert has_upstreams(type(registry.get("webhook")))
    assert derive_upstream("scripted", {"to": "a"}, source=None) == ""
    assert derive_upstream("nope", {"to": "a"}, source=None) == ""


@pytest.mark.parametrize("to", ["raise", 7, None, ["a"]])
def test_what_a_kind_gets_wrong_is_nothing_known_and_one_line_in_the_log(
    to: object, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstreams, "_logged", {})
    for _ in range(3):
        assert derive_upstream("routed", {"to": to}, source=None) == ""
    assert [record.message for record in caplog.records] == ["kind.no_upstream"]


@given(st.text(max_size=500))
def test_whatever_it_says_can_be_stored_on_one_line(text: str) -> None:
    said = derive_upstream("routed", {"to": text}, source=None)
    assert len(said) <= 200
    assert said == " ".join(said.split())
    said.encode()
    assert "\0" not in said


@given(st.text(max_size=300))
def test_no_address_is_too_odd_for_a_page(text: str) -> None:
    for url in (text, f"http://{text}", f"https://{text}:8080/"):
        derive_upstream("page", {"url": url}, source=None).encode()
