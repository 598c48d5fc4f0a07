"""What is secret in an address or in options is shown to nobody, and all the rest to everybody."""

import string
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entries.masking import is_masked, mask_address, mask_values, restore_values
from entries.text import scrub


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://alice:s3cret@host.example/feed", "https://***@host.example/feed"),
        ("https://alice@host.example", "https://***@host.example"),
        ("https://a:b@c@host.example/", "https://***@host.example/"),
        ("https://alice:pa/ss@host.example/feed", "https://***@host.example/feed"),
        ("https://alice:pa?ss@host.example/feed", "https://***@host.example/feed"),
        ("https://alice:pa#ss@host.example/feed", "https://***@host.example/feed"),
        ("//alice:s3cret@host.example/feed", "//***@host.example/feed"),
        ("https://h.example/f?token=abc&page=2", "https://h.example/f?token=***&page=2"),
        ("https://h.example/f?api_key=a;b=c", "https://h.example/f?api_key=***;b=c"),
        ("https://h.example/f?accessToken=a", "https://h.example/f?accessToken=***"),
        ("https://h.example/f?%74oken=a", "https://h.example/f?%74oken=***"),
        ("https://h.example/f?X-Amz-Signature=a", "https://h.example/f?X-Amz-Signature=***"),
        ("https://h.example/f?sig=a&sv=1", "https://h.example/f?sig=***&sv=1"),
        (
            "https://h.example/f?auth=a&code=b&pwd=c",
            "https://h.example/f?auth=***&code=***&pwd=***",
        ),
        (f"https://h.example/?x={'a1' * 16}", "https://h.example/?x=***"),
        (f"https://h.example/?{'a1' * 16}", "https://h.example/?***"),
        (
            "https://h.example/?k=6f9619ff-8b86-d011-b42d-00c04fc964ff",
            "https://h.example/?k=***",
        ),
        ("https://h.example/#access_token=a", "https://h.example/#access_token=***"),
        ("https://h.example/?next=https%3A%2F%2Fu%3Ap%40i.example", "https://h.example/?next=***"),
        (
            "https://hooks.example/services/T0AB/B0CD/Abcd1234Efgh5678Ijkl9012",
            "https://hooks.example/services/T0AB/B0CD/***",
        ),
        ("https://h.example:pass/feed", "https://***/feed"),
    ],
)
def test_credentials_are_masked(address: str, shown: str) -> None:
    assert mask_address(address) == shown


@pytest.mark.parametrize(
    "address",
    [
        "https://host.example:8443/a/b.xml?page=2&author=alice&keyword=x#top",
        "https://host.example/@alice/2026/01/31/my-first-post-of-the-year-2026",
        "https://[2001:db8::1]:8080/feed",
        "https://host.example/?q=a+longer+question+of+many+words&since=2026-01-31T12:00:00Z",
        "/srv/exports/orders.csv",
        "upload:0123456789abcdef0123456789abcdef-orders.csv",
        "not an address",
        "",
    ],
)
def test_the_rest_stays_as_it_is(address: str) -> None:
    assert mask_address(address) == address


_PLAIN = string.ascii_letters + string.digits
SECRETS = st.text(_PLAIN, min_size=8, max_size=60).map(lambda text: f"zq{text}")
NAMES = st.sampled_from(
    [
        "token",
        "apiKey",
        "api_key",
        "client-secret",
        "sig",
        "X-Signature",
        "password",
        "auth",
        "code",
    ]
)
RANDOM = st.text(_PLAIN, min_size=32, max_size=80)


@given(SECRETS, SECRETS, st.sampled_from(["https", "http", "ftp", "rediss"]))
def test_no_user_and_no_password_is_shown(user: str, password: str, scheme: str) -> None:
    shown = mask_address(f"{scheme}://{user}:{quote(password)}@host.example/a?b=c")
    assert shown == f"{scheme}://***@host.example/a?b=c"


@given(NAMES, SECRETS, st.sampled_from("?#"), st.booleans())
def test_no_value_of_a_telling_name_is_shown(
    name: str,
    secret: str,
    mark: str,
    first: bool,  # noqa: FBT001
) -> None:
    pairs = [f"{name}={secret}", "page=2"]
    address = f"https://host.example/a{mark}{'&'.join(pairs if first else pairs[::-1])}"
    shown = mask_address(address)
    assert secret not in shown
    assert "page=2" in shown


@given(RANDOM)
def test_no_long_random_value_is_shown(secret: str) -> None:
    assert secret not in mask_address(f"https://host.example/a?b={secret}&c=d")
    assert secret not in mask_address(f"https://host.example/a?{secret}")


@given(NAMES, SECRETS)
def test_free_text_shows_no_more(name: str, secret: str) -> None:
    assert secret not in scrub(f"it said: GET https://u:{secret}@h.example/?{name}={secret}, sorry")


ANYTHING = st.one_of(
    st.text(max_size=200),
    st.text("ab:/@?#&;=%2Fhtps.", max_size=80).map(lambda text: f"https://{text}"),
)


@given(ANYTHING)
def test_any_text_is_masked_once(text: str) -> None:
    once = mask_address(text)
    assert mask_address(once) == once


@given(st.text("ab1.-", max_size=20), SECRETS)
def test_whatever_stands_before_the_host(user: str, secret: str) -> None:
    for sign in "/?#:@\\ &=":
        assert secret not in mask_address(f"https://{user}:x{sign}{secret}@host.example/")


STORED: dict[str, Any] = {
    "item_url": "https://u:p@h.example/{id}",
    "headers": {"Authorization": "Bearer x", "Accept": "a"},
    "api_key": "k",
    "pages": [1, 2],
}


def test_options_are_masked_and_restored() -> None:
    masked = mask_values(STORED)
    assert masked == {
        "item_url": "https://***@h.example/{id}",
        "headers": {"Authorization": "***", "Accept": "a"},
        "api_key": "***",
        "pages": [1, 2],
    }
    assert restore_values(masked, stored=STORED) == STORED
    edited = masked | {"pages": [3], "headers": {"Authorization": "***", "Accept": "b"}}
    restored = restore_values(edited, stored=STORED)
    assert restored["headers"] == {"Authorization": "Bearer x", "Accept": "b"}
    assert restored["pages"] == [3]
    moved = masked | {"item_url": "https://***@evil.example/{id}"}
    assert is_masked(restore_values(moved, stored=STORED)), "credentials go nowhere else"
    assert is_masked(restore_values({"new": "***"}, stored=STORED))
