"""Edits by people in the audit: the old and the new values of what differs.

Every edit is recorded in its own transaction. Secrets are named without their values; addresses
and options are masked as on the pages (``entries.masking``).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.contrib.auth.models import Permission
from django.db.models import Field, Manager, Model

from entries.masking import MASK, mask_address, mask_values
from entries.models import Entry, Source
from retry import audit
from retry.outcomes import Actor

#: Columns whose values are never recorded.
SECRET = frozenset({"secret", "previous_secret", "password", "digest"})
_REPLACED = f"{MASK} (replaced)"
#: Written at every log-in, not by an edit.
_NO_EDITS = frozenset({"last_login"})
#: Characters recorded of one value.
_LONGEST = 2_000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The editable fields of an object as stored, JSON-safe."""

    values: Mapping[str, Any]


def snapshot(obj: Model) -> Snapshot:
    """Read the object as stored; in the transaction of the edit, before and after it."""
    stored = obj._meta.model._base_manager.filter(pk=obj.pk).first()
    if stored is None:
        return Snapshot({})
    fields = [f for f in stored._meta.concrete_fields if f.editable and f.name not in _NO_EDITS]
    values = {field.name: _read_value(stored, field) for field in fields}
    related = {f.name: _names(getattr(stored, f.name)) for f in stored._meta.many_to_many}
    return Snapshot(values | related)


def record_addition(obj: Model, *, actor: Actor) -> None:
    _, after = find_differences({}, snapshot(obj).values)
    _record("add", obj, actor=actor, after=after)


def record_change(obj: Model, *, before: Snapshot, actor: Actor) -> None:
    """Record what differs; nothing where nothing does."""
    was, now = find_differences(before.values, snapshot(obj).values)
    if was or now:
        _record("change", obj, actor=actor, before=was, after=now)


def record_deletion(obj: Model, *, actor: Actor) -> None:
    """Record what is about to be deleted."""
    was, _ = find_differences(snapshot(obj).values, {})
    _record("delete", obj, actor=actor, before=was)


def get_subject(obj: Model) -> str:
    """Return the audit's name of an object that has no column of its own there."""
    return f"{obj._meta.label_lower}:{obj.pk}"


def _record(
    verb: str,
    obj: Model,
    *,
    actor: Actor,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    known = isinstance(obj, Entry | Source)
    audit.record(
        f"{verb}_{obj._meta.model_name}"[:30],
        actor=actor,
        count=1,
        entry_id=obj.pk if isinstance(obj, Entry) else None,
        source_id=obj.pk if isinstance(obj, Source) else None,
        subject="" if known else get_subject(obj),
        before=before,
        after=after,
    )


def find_differences(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what differs as it was and as it is, masked, for the audit.

    Of nested objects only the members that differ.
    """
    was: dict[str, Any] = {}
    now: dict[str, Any] = {}
    for name in {**before, **after}:
        old, new = before.get(name), after.get(name)
        if old == new and name in before and name in after:
            continue
        if name in SECRET:
            was |= {name: MASK} if name in before else {}
            now |= {name: _REPLACED if name in before else MASK} if name in after else {}
        elif isinstance(old, Mapping) and isinstance(new, Mapping):
            was[name], now[name] = _find_members(old, new)
        else:
            masked_old, masked_new = _mask(old), _mask(new)
            was |= {name: masked_old} if name in before else {}
            same = masked_old == masked_new and name in before
            now |= {name: _REPLACED if same else masked_new} if name in after else {}
    return was, now


def _find_members(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Any, Any]:
    # Masked with all members, because one member's name may mark another as secret.
    masked_old, masked_new = mask_values(old), mask_values(new)
    keys = [
        key
        for key in {**old, **new}
        if old.get(key) != new.get(key) or (key in old) != (key in new)
    ]
    was = {key: _shorten(masked_old[key]) for key in keys if key in old}
    now = {
        key: _REPLACED
        if key in old and masked_old[key] == masked_new[key]
        else _shorten(masked_new[key])
        for key in keys
        if key in new
    }
    return was, now


def _mask(value: Any) -> Any:
    return _shorten(mask_address(value) if isinstance(value, str) else mask_values(value))


def _shorten(value: Any) -> Any:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return value if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _read_value(obj: Model, field: "Field[Any, Any]") -> Any:
    value = field.value_from_object(obj)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if value is None or isinstance(value, str | int | float | bool | dict | list):
        return value
    return str(value)


def _names(related: "Manager[Any]") -> list[str]:
    if related.model is Permission:
        found = related.values_list("content_type__app_label", "codename")
        return sorted(f"{app}.{codename}" for app, codename in found)
    return sorted(str(obj) for obj in related.all())
