"""What the server's own commands do to entries that are stored already."""

from entries import storage
from retry import audit
from retry.outcomes import Actor


def derive_upstreams(*, actor: Actor) -> int:
    """Derive what all stored entries depend on, after a kind got upstreams; returns how many
    changed.

    A batch a transaction, so that nobody waits; broken off, it can be repeated.
    """
    changed = storage.derive_upstreams()
    audit.record("derive_upstreams", actor=actor, count=changed)
    return changed
