"""Everybody's walks, each taken once in a test process for all tests that look at it.

What is remembered is what came of each step; of the database nothing is left.
"""

from collections.abc import Sequence
from functools import cache

from tests.admin.walking import populate
from tests.walk import calls, desk, traces
from tests.walk.files import uploads_elsewhere
from tests.walk.people import PEOPLE, callers
from tests.walk.words import Visit

#: Of tests that look at them: they belong into one process.
GROUP = "walk"


@cache
def visit_admin(who: str) -> Sequence[tuple[desk.Step, Visit]]:
    """Return every step at the admin of one of ``PEOPLE``."""
    with traces.undone(), uploads_elsewhere():
        made = populate()
        return list(desk.walk(made, PEOPLE[who]()))


@cache
def visit_api() -> dict[str, Sequence[tuple[calls.Call, Visit]]]:
    """Return every call of the API by who made it."""
    with traces.undone():
        calls.furnish()
        found: dict[str, Sequence[tuple[calls.Call, Visit]]] = {}
        for who, caller in callers().items():
            found[who] = list(calls.walk(caller))
        return found
