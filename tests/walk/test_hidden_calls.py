"""Of what is hidden no call of the API tells: not what it reads, and not what it does.

Every route is walked, by people and by narrowed tokens. With a hidden world beside it each answers
what it answers without; and what is hidden is answered like what does not exist.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User

from entries.models import Source
from retry.access import tokens
from retry.access.tokens import Terms
from tests.api import walking
from tests.api.calls import Caller
from tests.factories.users import UserFactory
from tests.support.asking import SCRIPT
from tests.walk import traces
from tests.walk.hidden import MARKS, NUMBER, SHARED, WORD, add_hidden_world, normalise
from tests.walk.routes import HIDDEN, UNKNOWN, Route, drop_ids, list_routes

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(1200)]

#: Of these users, and of one who sees everything.
NARROWED = {
    "token for one source": Terms(source_ids=frozenset({0})),
    "token that reads": Terms(scopes=frozenset({"read"})),
    "token that retries": Terms(scopes=frozenset({"retry", "operations"})),
    "token that reads and edits one source": Terms(
        scopes=frozenset({"read", "retry", "edit", "errors"}), source_ids=frozenset({0})
    ),
}


@pytest.fixture
def everyone(made: dict[str, Any], user: User) -> dict[str, Caller]:
    """The user, and tokens: of the user, or, where they are for one source, of a superuser."""
    walking.furnish()
    source = Source.objects.get(slug="news")
    chief = UserFactory.create(username="chief", is_staff=True, is_superuser=True)
    found = {"session": Caller(user)}
    # A token leaves some of a user's rights: narrowed are those of who has most.
    narrowed = NARROWED if user.get_username() == "administrator" else {}
    for name, terms in narrowed.items():
        one_source = terms.source_ids is not None
        given = Terms(
            scopes=terms.scopes, source_ids=frozenset({source.pk}) if one_source else None
        )
        owner = chief if one_source else user
        found[name] = Caller(token=tokens.create(owner, name=name, actor=SCRIPT, terms=given))
    for caller in found.values():
        caller.get("status")  # a token's use is noted, once a minute
    return found


def walk_all(everyone: dict[str, Caller]) -> Iterator[tuple[str, Route, Any]]:
    """Take every route as everyone, each from the same beginning."""
    for route in list_routes():
        for who, caller in everyone.items():
            with traces.undone():
                if route.name in walking.BEFORE:
                    walking.BEFORE[route.name]()
                answer = route.call(caller)
            yield who, route, answer


def say(answer: Any) -> str:
    text = json.dumps(json.loads(answer.content), sort_keys=True)
    return f"{answer.status_code} {drop_ids(normalise(text))}"


def test_each_route_answers_as_if_there_were_no_more(everyone: dict[str, Caller]) -> None:
    before = {(who, route.label): answer for who, route, answer in walk_all(everyone)}
    add_hidden_world(SHARED)
    after = {(who, route.label): answer for who, route, answer in walk_all(everyone)}
    marked = {call: MARKS.findall(answer.content.decode()) for call, answer in after.items()}
    assert {call: marks for call, marks in marked.items() if marks} == {}
    differ = {
        call: (said, say(after[call]))
        for call, answer in before.items()
        if (said := say(answer)) != say(after[call])
    }
    assert differ == {}
    tags = {call: answer.headers.get("ETag") for call, answer in before.items()}
    assert tags == {call: answer.headers.get("ETag") for call, answer in after.items()}


def test_what_is_hidden_is_answered_like_what_does_not_exist(everyone: dict[str, Caller]) -> None:
    add_hidden_world(SHARED)
    for route in list_routes():
        if not route.parameters:
            continue
        query = {"wait": 1} if route.waits and route.http == "get" else {}
        for who, caller in everyone.items():
            with traces.undone():
                hidden = route.call(caller, values=HIDDEN, **query)
            with traces.undone():
                unknown = route.call(caller, values=UNKNOWN, **query)
            said = [_without(answer, route) for answer in (hidden, unknown)]
            assert said[0] == said[1], (who, route.label)
            assert hidden.status_code in {403, 404}, (who, route.label)


def _without(answer: Any, route: Route) -> str:
    """What it says without what the path says."""
    text = answer.content.decode()
    for values in (HIDDEN, UNKNOWN):
        for name in route.parameters:
            text = text.replace(str(values[name]), "?")
    return f"{answer.status_code} {drop_ids(text)}"


#: Bodies that name something: with what is hidden, and the same with what there is not.
NAMING: tuple[tuple[str, Any, Any], ...] = tuple(
    (path, make(NUMBER + 100, f"{WORD}-source"), make(NUMBER + 999, f"{WORD}-none"))
    for path, make in (
        *(
            (path, make)
            for path in ("retry/bulk", "retry/now", "retry/stop", "resync", "discard", "restore")
            for make in (
                lambda id_, _: {"entry_ids": [id_], "dry_run": True},
                lambda id_, _: {"entry_ids": [id_]},
                lambda _, slug: {"filter": {"source": slug}, "dry_run": True},
                lambda id_, _: {"filter": {"ids": [id_]}, "dry_run": True},
            )
        ),
        *(
            (path, lambda id_, _: {"entry_id": id_})
            for path in ("retry", "retry/now", "retry/stop", "resync")
        ),
        ("resync", lambda _, slug: {"source": slug}),
        ("holds", lambda _, slug: {"source": slug}),
        (
            "entries",
            lambda _, slug: {
                "kind": "page",
                "source": slug,
                "entries": [{"external_id": f"{WORD}-1", "payload": {}}],
            },
        ),
        ("views", lambda _, slug: {"name": "v", "filter": {"source": slug}}),
        (
            "repair",
            lambda id_, _: {
                "entry_ids": [id_],
                "repair": {"patch": [{"op": "add", "path": "/n", "value": 1}]},
                "dry_run": True,
            },
        ),
    )
)


def test_what_a_body_names_is_not_there_either(everyone: dict[str, Caller]) -> None:
    add_hidden_world(SHARED)
    for who, caller in everyone.items():
        for path, hidden, unknown in NAMING:
            said = []
            for body in (hidden, unknown):
                with traces.undone():
                    answer = caller.post(path, body)
                text = answer.content.decode()
                for name in (f"{WORD}-source", f"{WORD}-none", NUMBER + 100, NUMBER + 999):
                    text = text.replace(str(name), "?")
                said.append(f"{answer.status_code} {drop_ids(normalise(text))}")
                assert not MARKS.search(text), (who, path, body)
            assert said[0] == said[1], (who, path, hidden)


FILTERS: tuple[dict[str, Any], ...] = (
    {},
    {"status": "failed"},
    {"q": WORD},
    {"fingerprint": SHARED},
)


def test_a_cursor_shows_another_no_more(everyone: dict[str, Caller]) -> None:
    """Of somebody who sees everything, which stands at something hidden."""
    add_hidden_world(SHARED)
    chief = Caller(UserFactory.create(is_staff=True, is_superuser=True))
    walked = set()
    for route in list_routes():
        if not route.lists:
            continue
        for query in FILTERS:
            given: dict[str, Any] = {"limit": "2", **query}
            first = route.call(chief, **given)
            cursor = json.loads(first.content).get("next_cursor")
            while cursor:
                walked.add(route.name)
                for who, caller in everyone.items():
                    answer = route.call(caller, **given, cursor=cursor)
                    text = answer.content.decode()
                    assert answer.status_code in {200, 403}, (who, route.label, text)
                    assert not MARKS.search(text.replace(query.get("q", "\0"), "")), route.label
                found = json.loads(route.call(chief, **given, cursor=cursor).content)
                cursor = found["next_cursor"]
    assert walked >= {"entries", "operations", "syncs", "errors", "sources", "audit", "holds"}


def test_every_route_is_known_here() -> None:
    """What a new one names in its path has to be in the hidden world as well."""
    for route in list_routes():
        assert HIDDEN.keys() >= set(route.parameters), route.label
        if route.http == "post":
            assert route.body is not None, route.label
