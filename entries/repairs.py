"""Repairs: one change of payloads, made to many entries. A JSON Patch, or what a kind offers."""

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from jsonpatch import InvalidJsonPatch, JsonPatch, JsonPatchException, JsonPatchTestFailed
from jsonpointer import JsonPointer, JsonPointerException, resolve_pointer

from entries.content import is_same
from entries.kinds.problems import find_payload_problems
from entries.kinds.registry import all_kinds, find
from entries.masking import mask_values
from entries.text import NotJSON, NotStorable, clean_json, clean_text, one_line

#: Of a patch: operations, and bytes as JSON.
MAX_STEPS, MAX_BYTES = 100, 50_000
#: Bytes of a payload; as for what people edit.
MAX_PAYLOAD_BYTES = 256 * 1024


class Refusal(StrEnum):
    """Why a payload is not repaired."""

    MISFIT = "repair_misfit"
    REFUSED = "content_refused"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class RepairResult:
    """What a repair makes of a payload: the new one, or why there is none, in words."""

    payload: Mapping[str, Any] | None = None
    refusal: Refusal | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Repair:
    """One of two: a JSON Patch (RFC 6902) of a payload, or a kind's repair by its name."""

    patch: Sequence[Mapping[str, Any]] = ()
    name: str = ""

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Build what ``data()`` returned, or a person sent. Raises ``ValueError`` with words."""
        if data.keys() == {"name"} and isinstance(data["name"], str):
            if data["name"] not in list_repairs():
                raise ValueError(f"no kind has a repair called “{data['name'][:50]}”")
            return cls(name=data["name"])
        if data.keys() != {"patch"}:
            raise ValueError("give a patch or the name of a repair")
        return cls(patch=_check_patch(data["patch"]))

    @classmethod
    def build(cls, data: Mapping[str, Any]) -> Self:
        """Build what was checked when it was stored; a repair by name may be gone since then."""
        return cls(patch=tuple(data.get("patch", ())), name=data.get("name", ""))

    def data(self) -> dict[str, Any]:
        return {"name": self.name} if self.name else {"patch": list(self.patch)}

    def mask(self) -> dict[str, Any]:
        """Return ``data`` for those who may not see payloads: a path may lead to a secret."""
        return {"name": self.name} if self.name else {"patch": [_mask_step(s) for s in self.patch]}

    def apply(self, payload: Mapping[str, Any], *, kind: str) -> RepairResult:
        """Return what becomes of a payload, which stays as it is. Never raises."""
        change = self._find_change(kind)
        if change is None:
            words = f"the kind {kind} has no repair “{self.name}”"
            return RepairResult(refusal=Refusal.MISFIT, words=words)
        try:
            changed: Any = change(payload)
        except NotStorable as error:
            return _refuse_to_store(error)
        except (JsonPatchException, JsonPointerException) as error:
            return RepairResult(refusal=Refusal.MISFIT, words=_describe(error))
        except Exception as error:  # noqa: BLE001 - a kind's repair may raise anything
            words = f"{type(error).__name__}: {_describe(error)}"
            return RepairResult(refusal=Refusal.MISFIT, words=words)
        return _judge(changed, payload, kind=kind)

    def _find_change(self, kind: str) -> Callable[[Mapping[str, Any]], Any] | None:
        if not self.name:
            return self._apply_patch
        found = find(kind)
        repair = found.repairs.get(self.name) if found is not None else None
        # It gets a copy, so that it may change what it is given.
        return None if repair is None else lambda payload: repair(copy.deepcopy(payload))

    def _apply_patch(self, payload: Mapping[str, Any]) -> Any:
        """Raises ``NotStorable`` for a patch that copies too much: each copy may double a value."""
        changed: Any = copy.deepcopy(payload)
        copied = 0
        for step in self.patch:
            if step["op"] == "copy":
                copied += len(json.dumps(resolve_pointer(changed, step["from"])))
                if copied > MAX_PAYLOAD_BYTES:
                    raise NotStorable(f"the patch copies more than {MAX_PAYLOAD_BYTES:,} bytes")
            try:
                changed = JsonPatch([step]).apply(changed, in_place=True)
            except JsonPatchTestFailed:  # its words would have the values, which may be secrets
                what = f"the value at {step['path'] or 'the root'}"
                raise JsonPatchTestFailed(f"{what} is not what the patch tests for") from None
        return changed


def list_repairs() -> dict[str, list[str]]:
    """Return the names of all repairs, each with the kinds that have it."""
    names: dict[str, list[str]] = {}
    for kind_name, kind in all_kinds().items():
        for name in kind.repairs:
            names.setdefault(name, []).append(kind_name)
    return names


def _check_patch(patch: Any) -> Sequence[Mapping[str, Any]]:
    if not isinstance(patch, list) or not all(isinstance(step, Mapping) for step in patch):
        raise ValueError("a JSON Patch is a list of operations: [{…}]")
    if not 0 < len(patch) <= MAX_STEPS:
        raise ValueError(f"a JSON Patch has 1 to {MAX_STEPS} operations")
    try:
        clean = clean_json(patch, max_bytes=MAX_BYTES)
        for step in clean:
            _check_step(step)
    except (NotJSON, NotStorable, JsonPatchException, JsonPointerException) as error:
        raise ValueError(f"this is no JSON Patch: {_describe(error)}") from error
    if clean != patch:
        raise ValueError("the patch contains a value that JSON or PostgreSQL cannot store")
    return tuple(patch)


def _mask_step(step: Mapping[str, Any]) -> dict[str, Any]:
    value = mask_values(step.get("value"))
    for name in JsonPointer(step["path"]).parts:
        value = mask_values({name: value})[name]
    return {**step, "value": value} if "value" in step else dict(step)


def _check_step(step: Any) -> None:
    """Raise ``InvalidJsonPatch``: the library looks for some members only when it applies it."""
    try:
        JsonPatch([step]).apply({})
    except InvalidJsonPatch:
        raise
    except (JsonPatchException, JsonPointerException):
        JsonPatch([step])  # the path alone


def _judge(changed: Any, payload: Mapping[str, Any], *, kind: str) -> RepairResult:
    try:
        clean = clean_json(changed, max_bytes=MAX_PAYLOAD_BYTES)
    except (NotJSON, NotStorable) as error:
        return _refuse_to_store(error)
    if not isinstance(clean, dict) or clean != changed:
        return RepairResult(refusal=Refusal.REFUSED, words="the result is no JSON object to store")
    if is_same(clean, payload):
        return RepairResult(refusal=Refusal.UNCHANGED, words="the payload stays as it is")
    problems = find_payload_problems(kind, clean)
    if problems:
        return RepairResult(refusal=Refusal.REFUSED, words="; ".join(problems))
    return RepairResult(payload=clean)


def _refuse_to_store(error: NotJSON | NotStorable) -> RepairResult:
    return RepairResult(refusal=Refusal.REFUSED, words=f"it cannot be stored: {_describe(error)}")


def _describe(error: BaseException) -> str:
    return one_line(clean_text(error, limit=300), limit=300)
