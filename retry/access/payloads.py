"""What the audit, syncs and imports have of payloads, for actors who may see them or not."""

from collections.abc import Mapping
from typing import Any

from retry.access.permissions import VIEW_PAYLOAD
from retry.outcomes import Actor

_LEFT_OUT = frozenset({"payload", "repair"})


def hide_payloads(data: Mapping[str, Any] | None, *, actor: Actor) -> Mapping[str, Any] | None:
    """Return what an audit event has, without payloads where the actor may not see them.

    Nor a filter by payloads, and what a repair changes in them.
    """
    if data is None or actor.may(VIEW_PAYLOAD):
        return data
    return _leave_out(data)


def hide_changes(sample: list[dict[str, Any]], *, actor: Actor) -> list[dict[str, Any]]:
    """Return the sample of a sync or an import, without changes of payloads that are hidden."""
    if actor.may(VIEW_PAYLOAD):
        return sample
    return [{**row, "changes": []} for row in sample]


def chooses_by_payload(selection: Mapping[str, Any]) -> bool:
    """Whether a selection, as an operation has it, says what is in payloads."""
    chosen = selection.get("filter") or {}
    # What is written by hand in a search counts as well.
    return "payload" in chosen or "payload." in chosen.get("q", "")


def _leave_out(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _leave_out(value) if isinstance(value, Mapping) else value
        for name, value in data.items()
        if name not in _LEFT_OUT and not (name == "q" and "payload." in str(value))
    }
