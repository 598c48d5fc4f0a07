import pytest
from django.core.exceptions import ImproperlyConfigured

from config.env import Environment, read_environment, redis_database, require


class TestEnvironment:
    def test_is_production_unless_told_otherwise(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("REDRIVE_ENV")
        assert read_environment() is Environment.PRODUCTION

    @pytest.mark.parametrize("known", list(Environment))
    def test_can_be(self, monkeypatch: pytest.MonkeyPatch, known: Environment) -> None:
        monkeypatch.setenv("REDRIVE_ENV", known.value)
        assert read_environment() is known

    @pytest.mark.parametrize("typo", ["prod", "TEST", "", " test"])
    def test_a_slip_of_the_pen_is_told(self, monkeypatch: pytest.MonkeyPatch, typo: str) -> None:
        monkeypatch.setenv("REDRIVE_ENV", typo)
        with pytest.raises(ImproperlyConfigured, match="production, development, demo, test"):
            read_environment()


class TestRequired:
    def test_gives_what_there_is(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SOMETHING", "x")
        assert require("SOMETHING", hint="") == "x"

    @pytest.mark.parametrize("value", [None, ""])
    def test_says_what_to_do(self, monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
        if value is None:
            monkeypatch.delenv("SOMETHING", raising=False)
        else:
            monkeypatch.setenv("SOMETHING", value)
        with pytest.raises(ImproperlyConfigured, match=r"SOMETHING is not set\. Set it\."):
            require("SOMETHING", hint="Set it.")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/3"),
        ("redis://127.0.0.1:6379", "redis://127.0.0.1:6379/3"),
        ("rediss://u:p%40@h:1/7?ssl_cert_reqs=none", "rediss://u:p%40@h:1/3?ssl_cert_reqs=none"),
        ("unix:///run/redis.sock", "unix:///run/redis.sock?db=3"),
        ("unix:///run/redis.sock?db=0", "unix:///run/redis.sock?db=3"),
        ("unix:///run/redis.sock?password=x&db=1", "unix:///run/redis.sock?password=x&db=3"),
    ],
)
def test_another_database_of_the_same_redis(url: str, expected: str) -> None:
    assert redis_database(url, 3) == expected
