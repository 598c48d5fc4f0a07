"""Verbs for commands that maintain entries already stored."""

from django.db import transaction

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


def index_entries(*, actor: Actor) -> int:
    """Index what was stored before lists had an index; return how many entries were missing.

    Needed once, after an upgrade of a desk with many entries. One transaction per batch; it can be
    interrupted and repeated.
    """
    written = storage.index_entries()
    audit.record("index_entries", actor=actor, count=written)
    return written


def recount_entries(*, actor: Actor) -> int:
    """Set the counts of entries by status right; return by how many entries they were wrong.

    Only needed where entries changed without their triggers. One transaction, which reads every
    entry once and blocks none of their writers; it can be repeated at any time.
    """
    with transaction.atomic():
        wrong = storage.recount_statuses()
        audit.record("recount_entries", actor=actor, count=wrong)
    return wrong
