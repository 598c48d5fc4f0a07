"""The scenes of the verbs of operations."""

from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from retry import service
from retry.models import Action, Operation
from retry.operations.selection import Selection
from retry.outcomes import Actor
from tests.factories.entries import EntryFactory

Act = Callable[[Actor], object]


def start() -> Act:
    entry = EntryFactory.create(failed=True)
    chosen = Selection(ids=(entry.id,))
    return lambda actor: service.start_operation(chosen, action=Action.RETRY, actor=actor)


def _started() -> Operation:
    entry = EntryFactory.create(failed=True)
    return service.start_operation(
        Selection(ids=(entry.id,)), action=Action.RETRY, actor=Actor.command("before")
    )


def pause() -> Act:
    operation = _started()
    return lambda actor: service.pause_operation(operation.pk, actor=actor)


def resume() -> Act:
    operation = _started()
    service.pause_operation(operation.pk, actor=Actor.command("before"))
    return lambda actor: service.resume_operation(operation.pk, actor=actor)


def cancel() -> Act:
    operation = _started()
    return lambda actor: service.cancel_operation(operation.pk, actor=actor)


def reschedule() -> Act:
    operation = _started()
    at = timezone.now() + timedelta(hours=1)
    return lambda actor: service.reschedule_operation(operation.pk, start_at=at, actor=actor)


def _awaiting() -> Operation:
    operation = _started()
    Operation.objects.filter(pk=operation.pk).update(state="awaiting_approval")
    return operation


def approve() -> Act:
    operation = _awaiting()
    return lambda actor: service.approve_operation(operation.pk, actor=actor)


def reject() -> Act:
    operation = _awaiting()
    return lambda actor: service.reject_operation(operation.pk, actor=actor)


def retry_failed() -> Act:
    operation = _started()
    return lambda actor: service.retry_failed(operation.pk, actor=actor)
