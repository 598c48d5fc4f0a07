"""The document of the API: as it is committed, held against the routes, with working examples.

All other answers in these tests are held against it where they are made (``tests/api/calls.py``).
"""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_pydantic.v3.v3_1 import OpenAPI

from entries.models import Entry
from retry.models import Operation
from tests.api import document, walking
from tests.api.calls import Caller, ok
from tests.factories.entries import EntryFactory
from tools.openapi import examples
from tools.openapi.document import PLACE, build, build_path, list_addresses

pytestmark = pytest.mark.django_db(transaction=True)
NAMES = {build_path(address): name for address, name, _ in list_addresses()}
#: Generated clients have these names: each is kept.
KEPT = {
    "acknowledge", "approve", "cancel", "delete_view", "discard", "edit", "lift_hold",
    "list_entries", "list_errors", "list_events", "list_holds", "list_kinds", "list_operations",
    "list_sources", "list_syncs", "list_views", "mute", "note", "pause", "place_hold", "prove",
    "reject", "rename_view", "reopen", "repair", "request_sync", "reschedule", "resolve",
    "restore", "resume", "resync", "retry", "retry_bulk", "retry_failed", "retry_now",
    "save_view", "show_document", "show_entry", "show_error", "show_hold", "show_items",
    "show_operation", "show_run", "show_source", "show_status", "show_sync", "show_view", "stop",
    "submit", "undo", "unmute",
}  # fmt: skip
CALLS = list(document.list_calls())


@pytest.fixture
def entry() -> Entry:
    """What the examples name."""
    made = walking.furnish()
    EntryFactory.create(id=42, failed=True)
    return made


def test_it_is_what_the_routes_make() -> None:
    assert json.loads(PLACE.read_text()) == build(), "run: make openapi"


def test_it_is_served(api: Caller) -> None:
    assert ok(api.get("openapi.json")) == json.loads(PLACE.read_text())


def test_it_is_openapi() -> None:
    OpenAPI.model_validate(document.read())
    schemas = document.read()["components"]["schemas"]
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    used = set(_find_references(document.read()))
    shared = {part: document.read()["components"][part] for part in ("schemas", "responses")}
    assert used == {f"#/components/{part}/{name}" for part in shared for name in shared[part]}


def test_each_call_says_what_refuses_all_calls_and_when_to_ask_again() -> None:
    for call in CALLS:
        for status in ("429", "503"):
            assert "Retry-After" in document.resolve(call.operation["responses"][status])["headers"]
        waits = any(each["name"] == "wait" for each in call.operation["parameters"])
        if waits:
            headers = call.operation["responses"]["200"]["headers"]
            assert headers["ETag"]["schema"] == {"type": "string"}
            assert any(each["name"] == "If-None-Match" for each in call.operation["parameters"])


def test_every_address_and_method_is_in_it(api: Caller) -> None:
    documented: dict[str, set[str]] = {}
    for call in CALLS:
        documented.setdefault(NAMES[call.path], set()).add(call.method.upper())
    there = {}
    for name in walking.addresses():
        allowed = api.send("OPTIONS", walking.path_of(name)).headers["Allow"].split(", ")
        there[name] = set(allowed) - {"HEAD", "OPTIONS"}
    assert documented == there


def test_each_call_has_a_name_of_its_own() -> None:
    names = [call.operation["operationId"] for call in CALLS]
    assert len(names) == len(set(names))
    assert set(names) >= KEPT
    assert NAMES.keys() >= document.read()["paths"].keys()
    assert examples.BODIES.keys() | examples.QUERIES.keys() | examples.WITH_KEY <= set(
        NAMES.values()
    )


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.method} {call.path}")
def test_its_examples_work(api: Caller, entry: Entry, call: document.Call) -> None:
    name = NAMES[call.path]
    if name in walking.DECISIONS:
        Operation.objects.update(state="awaiting_approval")
    if name in walking.BEFORE:
        walking.BEFORE[name]()
    path = walking.path_of(name)
    if call.method == "get":
        query = {
            each["name"]: each["example"]
            for each in call.operation["parameters"]
            if "example" in each
        }
        ok(api.get(path, **query))
        return
    sent = call.operation["requestBody"]["content"]["application/json"]["example"]
    answer = api.post(path, sent)
    assert 200 <= answer.status_code < 300, answer.content


def _find_references(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return own + [found for value in part.values() for found in _find_references(value)]
    if isinstance(part, list):
        return [found for value in part for found in _find_references(value)]
    return []
