"""Fixed, prove it: an operation on all that is failed of a group, and what follows from its end."""

from uuid import UUID

from django.db import connection, transaction

from entries.filters import EntryFilter
from entries.sql import load
from entries.states import EntryStatus
from retry import audit
from retry.access.permissions import MANAGE_ERROR_GROUP
from retry.edits import get_subject
from retry.error_groups.errors import ProofUnderWay
from retry.error_groups.lock import find_whole_group, lock_group
from retry.errors import NothingEligible
from retry.models import Action, ErrorGroup, Operation
from retry.operations.control import start as start_operation
from retry.operations.idempotency import IdempotencyKey
from retry.operations.pace import Pace
from retry.operations.selection import Selection
from retry.outcomes import Actor
from retry.sentences import FIXED

_SQL = load(__file__)

#: Actions with which a proof tries the entries; others prove nothing.
PROVING = (Action.RETRY, Action.RESYNC)
#: Entries that go first when a group is said to be fixed.
CANARY = 20
#: Proofs that end in one step of the dispatcher.
_BATCH = 100


def prove(
    group_id: int,
    *,
    actor: Actor,
    action: Action = Action.RETRY,
    canary_size: int = CANARY,
    rate_per_second: float | None = None,
    reason: str = "",
    idempotency_key: str | None = None,
) -> Operation:
    """Fixed, prove it: start an operation on all that is failed of the group, a canary first.

    The first failure stops it. ``settle_proofs`` resolves the group when all of it has succeeded.
    The same ``idempotency_key`` from the same actor returns the same operation. Raises
    ``ProofUnderWay``, ``NothingEligible`` where nothing is failed, and as ``acknowledge`` and
    ``start_operation`` do; ``ValueError`` for an action that is not in ``PROVING``.
    """
    actor.require(MANAGE_ERROR_GROUP)
    if action not in PROVING:
        raise ValueError(f"{action.value} proves nothing")
    group = find_whole_group(group_id, actor=actor)
    key = None
    if idempotency_key is not None:
        key = IdempotencyKey.from_request(
            idempotency_key,
            proves=group_id,
            action=action.value,
            canary_size=canary_size,
            rate_per_second=rate_per_second,
            reason=reason,
            sources=None if actor.sources is None else sorted(actor.sources),
        )
        known = key.find_operation(actor)
        if known is not None:
            return known
    _refuse_second(group)
    alike = EntryFilter(status=EntryStatus.FAILED, fingerprint=group.fingerprint)
    with transaction.atomic():
        operation = start_operation(
            Selection(filter=alike),
            action=action,
            actor=actor,
            reason=reason or FIXED(),
            pace=Pace(
                rate_per_second=rate_per_second,
                canary_size=max(canary_size, 1),
                max_failure_rate=0.0,
            ),
            idempotency_key=key,
        )
        if not operation.total:
            raise NothingEligible(action=action.value, skipped={})
        # Not before: freezing a million entries takes seconds, and failures wait for the lock.
        group = lock_group(group_id, actor=actor)
        if group.proof_id == operation.pk:
            return operation  # of a request with the same key, which was faster
        _refuse_second(group)
        ErrorGroup.objects.filter(pk=group.pk).update(proof=operation)
        audit.record(
            "prove_group",
            actor=actor,
            count=operation.total,
            reason=reason,
            operation_id=operation.pk,
            subject=get_subject(group),
            before={"state": group.state},
        )
    return operation


def settle_proofs(*, actor: Actor) -> int:
    """Resolve the groups whose proof has ended and whose every entry succeeded; return how many
    proofs have ended. A group of which something is failed keeps its state.
    """
    actor.require(MANAGE_ERROR_GROUP)
    ended = ErrorGroup.objects.filter(proof__isnull=False, proof__ended_at__isnull=False)
    pairs = list(ended.order_by("pk").values_list("pk", "proof_id")[:_BATCH])
    return sum(_settle(pk, operation_id, actor=actor) for pk, operation_id in pairs)


def _refuse_second(group: ErrorGroup) -> None:
    # Also one that has ended and is not settled: that takes the dispatcher a second.
    if group.proof_id is not None:
        raise ProofUnderWay(group.proof_id)


def _settle(group_id: int, operation_id: UUID, *, actor: Actor) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        # The statement after the lock sees every failure that was noted before it.
        locked = ErrorGroup.objects.select_for_update(of=("self",), skip_locked=True)
        group = locked.filter(pk=group_id, proof=operation_id).first()
        if group is None:
            return 0
        cursor.execute(_SQL["settle"], {"group": group_id})
        state, proven = cursor.fetchone()
        audit.record(
            "resolve_group" if proven else "fail_proof",
            actor=actor,
            count=1,
            operation_id=operation_id,
            subject=get_subject(group),
            before={"state": group.state},
            after={"state": state},
        )
    return 1
