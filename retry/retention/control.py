"""Verbs of retention: delete what is old, by the dispatcher in batches or by a command at once."""

from collections.abc import Callable

from retry.outcomes import Actor
from retry.retention import passes
from retry.retention.rules import RULES
from retry.retention.steps import Batch


def prune_batch(name: str, *, actor: Actor) -> Batch | None:
    """Delete one batch of what a rule of ``retry.retention.rules`` no longer keeps.

    One transaction, with short locks; it continues where the batch before has stopped. Nothing is
    deleted that something open refers to. Returns None where the rule's pass has ended, which is
    audited once if it has deleted something, or where another process is at it.
    """
    return passes.step(RULES[name], actor=actor)


def prune(name: str, *, actor: Actor, on_batch: Callable[[Batch], None] | None = None) -> int:
    """Do a whole pass of a rule, from its beginning; return how many rows it has deleted.

    A transaction for each batch, so it can be interrupted: what is deleted is audited when the
    pass ends, at the latest by the dispatcher, in the name of this actor. Raises ``KeyError`` for
    a rule that is unknown.
    """
    rule = RULES[name]
    if not rule.active:
        return 0
    passes.begin(name, actor=actor)
    removed = 0
    while (batch := passes.step(rule, actor=actor, wait=True)) is not None:
        removed += batch.removed
        if on_batch is not None:
            on_batch(batch)
    return removed
