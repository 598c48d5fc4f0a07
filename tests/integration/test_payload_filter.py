"""What a filter of the payload finds, compared with the same rule in Python."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from entries.filters import EntryFilter
from entries.models import Entry
from entries.payload_match import Values, parse_text
from entries.sources.json_values import get_at
from entries.states import EntryStatus
from retry.models import Action, AuditEvent
from retry.operations import control
from retry.operations import selection as selections
from retry.operations.selection import Selection, preview
from retry.outcomes import Actor, Channel
from tests.factories.entries import EntryFactory, SourceFactory
from tests.support.asking import SCRIPT
from tests.support.hiding import only_source

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db

#: Few, so that paths lead somewhere.
KEYS = ("a", "b", "a.b", "a.0", "0", "-1", "%s'")
PARTS = ("a", "b", "0", "00", "-1", " 0", "%s'")
TEXTS = ("", "a", "17", "17.0", "true", "null", "[17]", "'", "%s", "\\", "ü", "😀", '"')
LEAVES = st.sampled_from(
    [*TEXTS, 0, 1, 17, 17.0, -0.0, 1e22, 10**22, 10**40, 0.1, True, False, None]
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    ),
    max_leaves=12,
)
PAYLOADS = st.dictionaries(st.sampled_from(KEYS), JSON, max_size=4)
PATHS = st.lists(st.sampled_from(PARTS), min_size=1, max_size=3).map(".".join)
VALUES = st.one_of(
    st.sampled_from([*filter(None, TEXTS), "0", "1"]).map(parse_text),
    st.lists(LEAVES, min_size=1, max_size=3).map(tuple),
)


def equal(left: Any, right: Any) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, int | float) and isinstance(right, int | float):
        return Decimal(repr(left)) == Decimal(repr(right))
    return type(left) is type(right) and bool(left == right)


def find(payload: Any, path: str) -> Any:
    """As ``get_at``, but raises ``LookupError`` where nothing is."""
    if path in payload:
        return payload[path]
    for part in path.split("."):
        if isinstance(payload, list) and re.fullmatch("[0-9]{1,9}", part):
            payload = payload[int(part)]
        elif isinstance(payload, dict):
            payload = payload[part]
        else:
            raise LookupError(part)
    return payload


def holds(payload: Any, paths: Mapping[str, Values]) -> bool:
    try:
        found = [(find(payload, path), values) for path, values in paths.items()]
    except LookupError:
        return False
    return all(any(equal(there, value) for value in values) for there, values in found)


@given(PAYLOADS, PATHS)
def test_a_path_leads_where_it_leads_in_a_source(payload: Any, path: str) -> None:
    try:
        expected = find(payload, path)
    except LookupError:
        expected = None
    assert get_at(payload, path) is expected or get_at(payload, path) == expected


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)
@given(
    st.lists(PAYLOADS, min_size=1, max_size=8),
    st.lists(st.dictionaries(PATHS, VALUES, min_size=1, max_size=2), min_size=1, max_size=8),
)
def test_postgresql_finds_what_the_rule_says(
    payloads: list[Any], filters: list[dict[str, Values]]
) -> None:
    Entry.objects.all().delete()
    made = EntryFactory.build_batch(len(payloads))
    for entry, payload in zip(made, payloads, strict=True):
        entry.payload = payload
    Entry.objects.bulk_create(made)
    # By chance a filter rarely names what is there, so that all filters find nothing.
    there = [leaf for payload in payloads for leaf in leaves(payload)]
    filters += [{path: (value,)} for path, value in there]
    anything = tuple(value for _, value in there) or (None,)
    filters += [dict.fromkeys(paths, anything) for paths in filters]
    for paths in filters:
        wanted = EntryFilter(payload=paths)
        found = set(Entry.objects.filter(wanted.condition()).values_list("pk", flat=True))
        expected = {
            e.pk for e, payload in zip(made, payloads, strict=True) if holds(payload, paths)
        }
        assert found == expected, (paths, payloads)


@pytest.mark.parametrize(
    ("payload", "path", "found"),
    [
        ({"a": [1, 2]}, "a.1", [2]),
        ({"a": [1, 2]}, "a.01", [2]),
        ({"a": [1, 2]}, "a.2", []),
        ({"a": [1, 2]}, "a.-1", []),
        ({"a": [1, 2]}, "a. 0", []),
        ({"a": [1, 2]}, "a.+0", []),
        ({"a": [1, 2]}, "a.0000000000", []),
        ({"a": {"-1": 5, "0": 6}}, "a.-1", [5]),
        ({"a": {"-1": 5, "0": 6}}, "a.0", [6]),
        ({"a": {"-1": 5, "0": 6}}, "a.00", []),
        ({"a.b": 1, "a": {"b": 2}}, "a.b", [1]),
        ({"a.b": None, "a": {"b": 2}}, "a.b", [None]),
        ({"a.0": 1, "a": [2]}, "a.0", [1]),
        ({"x": {"a.b": 1}}, "x.a.b", []),
        ({"a": {"b.c": 1}, "a.b": {"c": 2}}, "a.b.c", []),
        ({"a": "text"}, "a.0", []),
        ({"a": 1}, "a.0", []),
        ({"a": None}, "a.b", []),
        ({"a": [[], [{"b": True}]]}, "a.1.0.b", [True]),
        ({"a": {}}, "a", []),
        ({"a": []}, "a", []),
    ],
)
def test_where_a_path_leads(payload: Any, path: str, found: list[Any]) -> None:
    EntryFactory.create(payload=payload)
    for value in (0, 1, 2, 5, 6, None, True, "", "text"):
        matched = Entry.objects.filter(EntryFilter(payload={path: (value,)}).condition()).exists()
        assert matched == any(equal(value, there) for there in found), value


def leaves(value: Any, *before: str) -> Iterator[tuple[str, Any]]:
    """Each path that a filter can have and that ends at a value."""
    if isinstance(value, dict):
        parts = [(key, inner) for key, inner in value.items() if key]
    elif isinstance(value, list):
        parts = [(str(index), inner) for index, inner in enumerate(value)]
    elif before:
        yield ".".join(before), value
        return
    else:
        return
    for part, inner in parts:
        yield from leaves(inner, *before, part)


def test_each_criterion_must_hold_and_so_must_the_others() -> None:
    both = EntryFactory.create(failed=True, payload={"customer": 17, "region": "eu"})
    EntryFactory.create(failed=True, payload={"customer": 17, "region": "us"})
    EntryFactory.create(payload={"customer": 17, "region": "eu"})
    wanted = EntryFilter(status=EntryStatus.FAILED, payload={"customer": (17,), "region": ("eu",)})
    assert list(Entry.objects.filter(wanted.condition())) == [both]


def test_an_index_on_a_key_is_used() -> None:
    """``docs/operations.md`` says how to create one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE INDEX failed_customer ON entries_entry ((payload -> 'customer'))"
            " WHERE status = 'failed'"
        )
        cursor.execute("SET LOCAL enable_seqscan = off")
    wanted = EntryFilter(status=EntryStatus.FAILED, payload={"customer": (17, "17")})
    plan = Entry.objects.filter(wanted.condition()).order_by().explain()
    assert "failed_customer" in plan
    assert "Index Cond: ((payload -> 'customer'::text) = ANY" in plan


def test_an_operation_freezes_what_matches_now() -> None:
    source = SourceFactory.create(slug="news")
    ids = [
        EntryFactory.create(
            failed=True, source=source, payload={"customer": value, "100%": "%s"}
        ).pk
        for value in (17, "17", 17.0)
    ]
    for value in ("018", 170, None, True, [17]):
        EntryFactory.create(failed=True, source=source, payload={"customer": value, "100%": "%s"})
    chosen = EntryFilter(
        source="news",
        status=EntryStatus.FAILED,
        payload={"customer": (17, "17"), "100%": ("%s",)},
    )
    selection = Selection(filter=chosen)
    assert preview(selection, action=Action.RETRY, actor=SCRIPT).eligible == 3
    operation = control.start(selection, action=Action.RETRY, actor=SCRIPT)
    later = EntryFactory.create(failed=True, source=source, payload={"customer": 17, "100%": "%s"})
    operation.refresh_from_db()
    frozen = [pk for run in operation.runs.all() for pk in run.entry_ids]
    assert sorted(frozen) == ids
    assert later.pk not in frozen
    assert EntryFilter.from_data(operation.selection["filter"]) == chosen
    assert "payload customer = 17, payload 100% = %s" in operation.selection_words


def test_it_says_nothing_of_entries_that_are_hidden(operator: "User") -> None:
    mine, theirs = SourceFactory.create(slug="mine"), SourceFactory.create(slug="theirs")
    shown = EntryFactory.create(failed=True, source=mine, payload={"card": 17})
    EntryFactory.create(failed=True, source=theirs, payload={"card": 17})
    selection = Selection(filter=EntryFilter(payload={"card": (17,)}))
    actor = Actor.from_user(operator, channel=Channel.API)
    with only_source("mine"):
        assert preview(selection, action=Action.RETRY, actor=actor).total == 1
        operation = control.start(selection, action=Action.RETRY, actor=actor)
    assert [pk for run in operation.runs.all() for pk in run.entry_ids] == [shown.pk]


def test_the_audit_of_an_operation_shows_no_secret() -> None:
    selection = Selection(filter=EntryFilter(payload={"auth.token": ("hunter2",)}))
    operation = control.start(selection, action=Action.RETRY, actor=SCRIPT)
    event = AuditEvent.objects.get(operation_id=operation.pk)
    assert "hunter2" not in f"{event.after} {operation.selection_words}"


def test_what_cannot_be_answered_in_time_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    EntryFactory.create_batch(3, failed=True, payload={"customer": 17})
    monkeypatch.setattr(selections, "COUNT_SECONDS", 0.001)
    wanted = Selection(filter=EntryFilter(payload={f"a{n}.b.c": (1,) for n in range(5)}))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO entries_entry (kind, external_id, title, payload, content_hash)"
            " SELECT 'page', 'many-' || n, '', jsonb_build_object('customer', n), ''"
            " FROM generate_series(1, 20000) AS n"
        )
    found = preview(wanted, action=Action.RETRY, actor=SCRIPT)
    assert not found.exact
