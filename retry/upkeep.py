"""Verbs for commands that maintain entries already stored."""

from entries import storage
from retry import audit
from retry.outcomes import Actor


def derive_upstreams(*, actor: Actor) -> int:
    """Derive the upstream of every stored entry and return how many changed.

    Needed after a kind got upstreams. One transaction per batch, so that locks are short; it can
    be interrupted and repeated.
    """
    changed = storage.derive_upstreams()
    audit.record("derive_upstreams", actor=actor, count=changed)
    return changed
