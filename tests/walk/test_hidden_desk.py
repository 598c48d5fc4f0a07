"""``manage.py desk --as USER`` tells a user of what is hidden no more than the API does."""

import json
from collections.abc import Mapping
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError

from retry.management.desk.verbs import Verb, list_verbs
from tests.api import walking
from tests.walk import traces
from tests.walk.hidden import MARKS, SHARED, add_hidden_world, normalise
from tests.walk.routes import HIDDEN, UNKNOWN, Values, drop_ids, list_routes

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.timeout(1200),
    # The verbs are those of the API, which everyone is walked at.
    pytest.mark.parametrize("user", ["operator"], indirect=True),
]


def list_words(verb: Verb, values: Values | None) -> list[str]:
    """What is typed for a verb: about what ``tests.api.walking`` made, or about ``values``."""
    [route] = [r for r in list_routes() if (r.address, r.http) == (verb.address, verb.http)]
    named = values or walking.values()
    words = [verb.noun, verb.name, *(str(named[name]) for name in route.parameters)]
    for name, value in route.body.items() if verb.http == "post" else ():
        option = f"--{name.replace('_', '-')}"
        if value is True:
            words.append(option)
        elif value is not False:
            words += [option, value if isinstance(value, str) else json.dumps(value)]
    return words


def run(verb: Verb, user: User, *, values: Values | None = None) -> tuple[int, str]:
    """Return the exit code and the answer. Leaves nothing behind."""
    out, code = StringIO(), 0
    with traces.undone():
        if values is None and verb.method.view.__name__ in walking.BEFORE:
            walking.BEFORE[verb.method.view.__name__]()
        try:
            call_command(
                "desk", *list_words(verb, values), "--as", user.username, "--json", stdout=out
            )
        except CommandError as error:
            code = error.returncode
    return code, out.getvalue()


def say(found: tuple[int, str], *, without: Mapping[str, Any]) -> str:
    code, text = found
    for value in without.values():
        text = text.replace(str(value), "?")
    return f"{code} {drop_ids(normalise(json.dumps(json.loads(text), sort_keys=True)))}"


def test_each_verb_tells_no_more(user: User, made: dict[str, Any]) -> None:
    walking.furnish()
    verbs = list(list_verbs())
    before = [run(verb, user) for verb in verbs]
    add_hidden_world(SHARED)
    for verb, found in zip(verbs, before, strict=True):
        name = f"{verb.noun} {verb.name}"
        now = run(verb, user)
        assert not MARKS.findall(now[1]), name
        assert say(now, without={}) == say(found, without={}), name
        if not verb.parameters:
            continue
        hidden, unknown = (run(verb, user, values=values) for values in (HIDDEN, UNKNOWN))
        assert hidden[0] in {1, 2}, name
        assert say(hidden, without=HIDDEN) == say(unknown, without=UNKNOWN), name
