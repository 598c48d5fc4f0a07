"""Errors as they are stored: without secrets, bounded, whatever the error does."""

import json
from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entries.errors import PermanentError
from entries.masking import may_hold_secret
from entries.text import _ADDRESSES, _SECRETS, ErrorInfo, describe_error, scrub

SECRET = "hunter2secret"


class TestScrub:
    @pytest.mark.parametrize(
        "text",
        [
            f"Authorization: Bearer {SECRET}",
            f"authorization: Token {SECRET} and more",
            f"{{'Authorization': 'Basic {SECRET}'}}",
            f"Proxy-Authorization={SECRET}",
            f"sent bearer {SECRET} to",
            f"password={SECRET}",
            f"PASSWORD = '{SECRET} with spaces'",
            f'"db_password": "{SECRET}"',
            f'{{\\"token\\": \\"{SECRET}\\"}}',
            f"https://e.org/?a=1&access_token={SECRET}&b=2",
            f"client_secret%3D{SECRET}",
            f"api-key: {SECRET}",
            f"AWS_SECRET_ACCESS_KEY={SECRET}",
            f"https://me:{SECRET}@e.org/",
            f"postgresql://me:p@ss{SECRET}@db/x",
            f"redis://:{SECRET}@localhost:6379/0",
            f"Cookie: a=b; sessionid={SECRET}",
            f"Set-Cookie: {SECRET}=1; path=/",
            f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n-----END RSA PRIVATE KEY-----",
            f"-----BEGIN PRIVATE KEY-----\n{SECRET}",
        ],
    )
    def test_secrets_are_masked(self, text: str) -> None:
        scrubbed = scrub(text)
        assert SECRET not in scrubbed
        assert "***" in scrubbed
        assert scrub(scrubbed) == scrubbed

    @pytest.mark.parametrize(
        "key",
        [
            "AKIA" + "IOSFODNN7EXAMPLE",
            "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMPLEKEY",
            "ghp_" + "a1B2" * 9,
            "xoxb-" + "1234567890-abcdef",
            "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0In0.abc-_x",
        ],
    )
    def test_well_known_keys_are_masked(self, key: str) -> None:
        assert scrub(f"got {key} back") == "got *** back"

    @pytest.mark.parametrize(
        "text",
        [
            "HTTP 503 from https://e.org/a?…",
            "commit da39a3ee5e6b4b0d3255bfef95601890afd80709 is missing",
            "unexpected token: }",
            "mail to me@e.org bounced",
            "the bearer of news",
            'File "/srv/app/entries/kinds/page.py", line 3, in process',
            "a basic mistake",
        ],
    )
    def test_the_rest_is_left_alone(self, text: str) -> None:
        assert scrub(text) == text

    @pytest.mark.parametrize(
        "piece",
        [
            *["eyJ", "password", "password ", "password=", "://", "a://", "a@", "bearer ", "gh"],
            *["-----BEGIN PRIVATE KEY-----", "Ab1/", "'", "%3D", "token_", "authorization: "],
        ],
    )
    def test_hostile_text_is_quick(self, piece: str) -> None:
        scrub(piece * 100_000)


class Nasty(Exception):
    def __str__(self) -> NoReturn:
        raise RuntimeError("no words")


class Reticent(Exception):
    def __getattribute__(self, name: str) -> Any:
        if name == "__notes__":
            raise RuntimeError("no notes")
        return super().__getattribute__(name)


def caught(error: BaseException) -> BaseException:
    try:
        raise error  # noqa: TRY301 - it needs a traceback
    except BaseException as it:  # noqa: BLE001
        return it


#: Beginnings, middles and ends of secrets, in odd letters, too.
PIECES = [
    *("authorization", "Cookie:", "set-cookie", "Bearer ", "basic ", "pa\u017f\u017fword"),
    *("password", "passphrase", "pwd", "api_key", "apikey", "access-key", "private key"),
    *("session_id", "to\u212aen", "secret", "token", "s\u0130gnature", "credential", "AKIA"),
    *("-----BEGIN RSA PRIVATE KEY-----", "ghp_", "xoxb-", "eyJ", "a1B" * 14, "Aa1+/" * 8, "://"),
    *("ABCDEFGH12345678", "http://u:p@h/x", "a" * 8, "=", ": ", " ", '"', "\n", ".", "@", "%3D"),
]


@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
def test_what_is_not_searched_has_nothing_to_mask(text: str) -> None:
    found = _ADDRESSES.search(text) or _SECRETS.search(text)
    assert may_hold_secret(text) or not found


class TestDescribeError:
    def test_an_ordinary_one(self) -> None:
        info = describe_error(caught(PermanentError("HTTP 404 from http://e.org/")))
        assert (info.error_class, info.message) == (
            "PermanentError",
            "HTTP 404 from http://e.org/",
        )
        assert info.traceback.startswith("Traceback (most recent call last):\n")
        assert "in caught" in info.traceback
        assert info.fingerprint.startswith("1-")

    def test_classes_within_functions_have_short_names(self) -> None:
        class Inner(Exception):
            class Deeper(Exception):
                pass

        assert describe_error(Inner()).error_class == "Inner"
        assert describe_error(Inner.Deeper()).error_class == "Inner.Deeper"

    def test_one_that_cannot_say_what_it_is(self) -> None:
        info = describe_error(caught(Nasty()))
        assert info.error_class == "Nasty"
        assert info.message == "(the error's own message could not be read)"
        assert "in caught" in info.traceback

    def test_one_that_cannot_be_formatted(self) -> None:
        info = describe_error(caught(Reticent("words")))
        assert info.message == "words"
        assert info.traceback == "(the traceback could not be formatted)"

    @pytest.mark.parametrize(
        "error",
        [
            KeyboardInterrupt(),
            SystemExit(3),
            ExceptionGroup("many", [ValueError("a"), TypeError("b")]),
            UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
            OSError(2, "No such file", "/x\x00"),
            json.JSONDecodeError("bad", "doc", 0),
            ValueError("x" * 1_000_000),
            ValueError("\x00\ud800"),
            type("N" * 5000, (Exception,), {})("x"),
        ],
    )
    def test_anything_fits_its_columns(self, error: BaseException) -> None:
        self._fits(describe_error(caught(error)))

    @given(st.text(alphabet=st.characters(exclude_categories=())))
    def test_any_message_fits(self, message: str) -> None:
        self._fits(describe_error(caught(ValueError(message))))

    def _fits(self, info: ErrorInfo) -> None:
        assert 0 < len(info.error_class) <= 200
        assert len(info.message) <= 500
        assert len(info.traceback) <= 20_000
        assert 0 < len(info.fingerprint) <= 40
        for text in (info.error_class, info.message, info.traceback):
            text.encode()
            assert "\x00" not in text

    def test_secrets_are_in_neither_message_nor_traceback(self) -> None:
        error = caught(ValueError(f"password={SECRET}"))
        error.add_note(f"asked https://me:{SECRET}@e.org/")
        info = describe_error(error)
        assert SECRET not in info.message
        assert SECRET not in info.traceback

    def test_a_long_traceback_keeps_its_beginning_and_its_end(self) -> None:
        info = describe_error(caught(ValueError("y" * 100_000 + "the end")))
        assert info.traceback.startswith("Traceback")
        assert info.traceback.rstrip().endswith("the end")
        assert "characters left out" in info.traceback
        assert len(info.traceback) == 20_000

    def test_endless_recursion(self) -> None:
        def again(depth: int) -> int:
            return again(depth + 1)

        with pytest.raises(RecursionError) as info:
            again(0)
        described = describe_error(info.value)
        assert described.error_class == "RecursionError"
        assert "in again" in described.traceback

    def test_the_place_tells_apart_what_the_message_does_not(self) -> None:
        def ship() -> None:
            raise KeyError("id")

        def pay() -> None:
            raise KeyError("id")

        keys = []
        for action in (ship, pay, ship):
            with pytest.raises(KeyError) as info:
                action()
            keys.append(describe_error(info.value).fingerprint)
        assert keys[0] != keys[1]
        assert keys[0] == keys[2]

    def test_the_frames_of_libraries_do_not_count(self) -> None:
        def first() -> None:
            json.loads("{")

        with pytest.raises(json.JSONDecodeError) as one:
            first()
        with pytest.raises(json.JSONDecodeError) as other:
            json.loads("{")
        keys = {describe_error(info.value).fingerprint for info in (one, other)}
        assert len(keys) == 2

    def test_the_place_does_not_matter_for_the_domains_own_errors(self) -> None:
        def elsewhere() -> None:
            raise PermanentError("HTTP 404")

        with pytest.raises(PermanentError) as info:
            elsewhere()
        here = describe_error(caught(PermanentError("HTTP 404")))
        assert describe_error(info.value).fingerprint == here.fingerprint
