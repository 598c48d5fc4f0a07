"""What a JSON Patch or a kind's repair makes of a payload."""

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from entries.kinds.base import AttemptData, EntryData, Kind
from entries.kinds.registry import KINDS, register
from entries.repairs import Refusal, Repair


def empty(payload: Any) -> Any:
    payload.clear()
    return payload


class Repairable(Kind):
    name = "repairable"
    repairs: ClassVar = {
        "double": lambda payload: {**payload, "n": payload["n"] * 2},
        "greedy": empty,
    }

    def process(self, entry: EntryData, attempt: AttemptData) -> Mapping[str, Any] | None:
        return None


@pytest.fixture(autouse=True)
def _kind(own_registries: None) -> None:
    register(Repairable)


def test_a_named_repair_is_the_kinds_function() -> None:
    double = Repair.from_data({"name": "double"})
    payload = {"n": 2}
    assert double.apply(payload, kind="repairable").payload == {"n": 4}
    assert double.apply({"n": "a"}, kind="repairable").payload == {"n": "aa"}
    assert double.apply({}, kind="repairable").words == "KeyError: 'n'"
    assert double.apply(payload, kind="page").refusal is Refusal.MISFIT
    assert Repair(name="greedy").apply(payload, kind="repairable").payload == {}
    assert payload == {"n": 2}, "it got a copy"


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ValueError, match="no kind has a repair called “triple”"):
        Repair.from_data({"name": "triple"})


@pytest.mark.parametrize(
    ("patch", "words"),
    [
        ({}, "a JSON Patch is a list of operations"),
        (["x"], "a JSON Patch is a list of operations"),
        ([], "1 to 100 operations"),
        ([{"op": "grow", "path": "/a"}], "this is no JSON Patch: Unknown operation"),
        ([{"op": "add", "path": "a", "value": 1}], "must start with /"),
        ([{"op": "add", "path": "/a"}], "does not contain a 'value' member"),
        ([{"op": "add", "path": "/a", "value": "x\0"}], "cannot store"),
        ([{"op": "add", "path": "/a", "value": "x" * 60_000}], "this is no JSON Patch"),
    ],
)
def test_what_is_no_patch_is_refused_with_words(patch: Any, words: str) -> None:
    with pytest.raises(ValueError, match=r"JSON Patch|store") as caught:
        Repair.from_data({"patch": patch})
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("step", "refusal"),
    [
        ({"op": "remove", "path": "/b"}, Refusal.MISFIT),
        ({"op": "test", "path": "/a", "value": True}, Refusal.MISFIT),
        ({"op": "test", "path": "/a", "value": 1}, Refusal.UNCHANGED),
        ({"op": "add", "path": "/a/b/c", "value": 1}, Refusal.MISFIT),
        ({"op": "replace", "path": "", "value": [1]}, Refusal.REFUSED),
        ({"op": "replace", "path": "/a", "value": 1.0}, Refusal.UNCHANGED),
        ({"op": "copy", "from": "/a", "path": "/b"}, None),
    ],
)
def test_what_a_patch_makes_of_a_payload(step: dict[str, Any], refusal: Refusal | None) -> None:
    repair = Repair.from_data({"patch": [step]})
    payload = {"a": 1}
    found = repair.apply(payload, kind="repairable")
    assert found.refusal is refusal
    assert (found.payload is None) == bool(found.words) == (refusal is not None)
    assert payload == {"a": 1}
    assert Repair.from_data(repair.data()) == repair


@pytest.mark.parametrize("repairs", [[], {"": len}, {"x" * 51: len}, {"a": 1}, {1: len}])
def test_repairs_of_a_kind_are_functions_by_name(repairs: Any) -> None:
    broken = type("Broken", (Repairable,), {"repairs": repairs})
    (found,) = KINDS.find_problems(broken)
    assert found.startswith("repairs must map names")


def test_copies_that_double_a_value_stop_before_they_fill_the_memory() -> None:
    steps = [{"op": "copy", "from": "/a", "path": f"/a/{n}"} for n in range(100)]
    found = Repair.from_data({"patch": steps}).apply({"a": {"n": "x" * 1_000}}, kind="repairable")
    assert found.refusal is Refusal.REFUSED
    assert found.words == "it cannot be stored: the patch copies more than 262,144 bytes"


def test_a_copy_of_what_is_not_there_is_a_misfit() -> None:
    patch = [{"op": "copy", "from": "/a/b", "path": "/c"}]
    assert Repair.from_data({"patch": patch}).apply({}, kind="repairable").refusal is Refusal.MISFIT


def test_secrets_of_a_patch_are_masked_by_their_path() -> None:
    patch = [
        {"op": "replace", "path": "/login/password", "value": "hunter2"},
        {"op": "add", "path": "/api_key/0", "value": "hunter2"},
        {"op": "add", "path": "/login", "value": {"token": "hunter2", "user": "anna"}},
        {"op": "remove", "path": "/secret"},
        {"op": "add", "path": "/n", "value": 1},
    ]
    repair = Repair.from_data({"patch": patch})
    assert "hunter2" not in str(repair.mask())
    assert repair.mask()["patch"][2]["value"] == {"token": "***", "user": "anna"}
    assert repair.mask()["patch"][3:] == patch[3:]


def test_a_test_that_fails_does_not_tell_the_value() -> None:
    patch = [{"op": "test", "path": "/password", "value": "guess"}]
    found = Repair.from_data({"patch": patch}).apply({"password": "hunter2"}, kind="repairable")
    assert found.refusal is Refusal.MISFIT
    assert found.words == "the value at /password is not what the patch tests for"
