"""Edits by people, in the audit: what was before and what is now, of what differs.

Every edit is written down in its own transaction. Secrets are named and never told; addresses and
options are told as they are shown (``entries.masking``).
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

#: Columns whose values are told to nobody.
SECRET = frozenset({"secret", "password", "digest"})
_REPLACED = f"{MASK} (replaced)"
#: Written with every log-in, by nobody.
_NO_EDITS = frozenset({"last_login"})
#: Characters that are kept of one value.
_LONGEST = 2_000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What people may edit of an object, by field, JSON-safe and as it is stored."""

    values: Mapping[str, Any]


def snapshot(obj: Model) -> Snapshot:
    """As the database has it. In the transaction of the edit, before and after it."""
    stored = obj._meta.model._base_manager.filter(pk=obj.pk).first()
    if stored is None:
        return Snapshot({})
    fields = [f for f in stored._meta.concrete_fields if f.editable and f.name not in _NO_EDITS]
    values = {field.name: _value_in(stored, field) for field in fields}
    related = {f.name: _names(getattr(stored, f.name)) for f in stored._meta.many_to_many}
    return Snapshot(values | related)


def record_addition(obj: Model, *, actor: Actor) -> None:
    _, after = _differing({}, snapshot(obj).values)
    _record("add", obj, actor=actor, after=after)


def record_change(obj: Model, *, before: Snapshot, actor: Actor) -> None:
    """Nothing where nothing differs."""
    was, now = _differing(before.values, snapshot(obj).values)
    if was or now:
        _record("change", obj, actor=actor, before=was, after=now)


def record_deletion(obj: Model, *, actor: Actor) -> None:
    """Before it is deleted."""
    was, _ = _differing(snapshot(obj).values, {})
    _record("delete", obj, actor=actor, before=was)


def get_subject(obj: Model) -> str:
    """How the audit names what has no column of its own there."""
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


def _differing(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What differs, as it may be told; of objects within only the members that differ."""
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
            was[name], now[name] = _members(old, new)
        else:
            told, said = _told(old), _told(new)
            was |= {name: told} if name in before else {}
            same = told == said and name in before
            now |= {name: _REPLACED if same else said} if name in after else {}
    return was, now


def _members(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Any, Any]:
    """Each with the names of all members before it is masked: a name may tell of a secret."""
    masked_old, masked_new = mask_values(old), mask_values(new)
    keys = [
        key
        for key in {**old, **new}
        if old.get(key) != new.get(key) or (key in old) != (key in new)
    ]
    was = {key: _short(masked_old[key]) for key in keys if key in old}
    now = {
        key: _REPLACED
        if key in old and masked_old[key] == masked_new[key]
        else _short(masked_new[key])
        for key in keys
        if key in new
    }
    return was, now


def _told(value: Any) -> Any:
    return _short(mask_address(value) if isinstance(value, str) else mask_values(value))


def _short(value: Any) -> Any:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return value if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _value_in(obj: Model, field: "Field[Any, Any]") -> Any:
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
