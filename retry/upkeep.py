"""Maintenance of stored entries, by commands on the server."""

from entries import storage
from retry import audit
from retry.outcomes import Actor


def derive_upstreams(*, actor: Actor) -> int:
    """Derive the upstreams of all stored entries, after a kind got upstreams; return how many
    changed.

    One transaction a batch, so that no request waits. It can be interrupted and repeated.
    """
    changed = storage.derive_upstreams()
    audit.record("derive_upstreams", actor=actor, count=changed)
    return changed
