"""The address of Redis, and what libraries are told of it."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from retry.defaults import build_queues
from retry.redis_address import parse_sentinels


@pytest.mark.parametrize(
    "url", ["redis://host:6379/0", "rediss://host/1", "unix:///run/redis.sock"]
)
def test_a_server_is_left_to_the_client(url: str) -> None:
    assert parse_sentinels(url) is None
    assert build_queues(url, ["bulk"])["redrive-bulk"]["URL"] == url


def test_sentinels_name_the_master() -> None:
    found = parse_sentinels("redis+sentinel://me:p%40ss@one:26380,two,[::1]:7/desk/3")
    assert found is not None
    assert found.sentinels == (("one", 26380), ("two", 26379), ("::1", 7))
    assert found.master == "desk"
    assert found.login == {"db": 3, "username": "me", "password": "p@ss"}
    assert found.sentinel_login == {}


def test_sentinels_have_a_login_of_their_own() -> None:
    found = parse_sentinels("rediss+sentinel://:secret@one/desk?sentinel_password=other")
    assert found is not None
    assert found.login == {"ssl": True, "db": 0, "password": "secret"}
    assert found.sentinel_login == {"ssl": True, "password": "other"}


def test_queues_are_told_in_the_words_of_django_rq() -> None:
    queue = build_queues("redis+sentinel://:secret@one,two/desk/1", ["bulk"])["redrive-bulk"]
    assert "URL" not in queue
    assert queue["SENTINELS"] == [("one", 26379), ("two", 26379)]
    assert queue["MASTER_NAME"] == "desk"
    assert queue["CONNECTION_KWARGS"]["password"] == "secret"
    assert queue["CONNECTION_KWARGS"]["db"] == 1
    assert "password" not in queue["SENTINEL_KWARGS"]


@pytest.mark.parametrize(
    "rest",
    ["one:26379", "one/", "/desk", "one/desk/x", "one:x/desk", ",one/desk", "one/desk?sentinel=1"],
)
def test_a_mistake_is_named_without_the_password(rest: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="REDIS_URL of Sentinels has the form") as raised:
        parse_sentinels(f"redis+sentinel://:secret@{rest}")
    assert "secret" not in str(raised.value)
