"""The scenes of the verbs of error groups."""

from collections.abc import Callable, Mapping

from django.utils import timezone

from retry import service
from retry.models import ErrorGroup, Operation
from retry.outcomes import Actor
from tests.support.error_groups import PERSON, make_group

Act = Callable[[Actor], object]


def acknowledge() -> Act:
    group = make_group()
    return lambda actor: service.acknowledge_group(group.pk, actor=actor)


def note() -> Act:
    group = make_group()
    return lambda actor: service.note_group(group.pk, actor=actor, text="known since Monday")


def mute() -> Act:
    group = make_group()
    return lambda actor: service.mute_group(group.pk, actor=actor, above=10)


def set_aside() -> ErrorGroup:
    return service.mute_group(make_group().pk, actor=PERSON, above=10)


def unmute() -> Act:
    group = set_aside()
    return lambda actor: service.unmute_group(group.pk, actor=actor)


def unmute_due() -> Act:
    ErrorGroup.objects.filter(pk=set_aside().pk).update(muted_until=timezone.now())
    return lambda actor: service.unmute_due_groups(actor=actor)


def resolve() -> Act:
    group = make_group()
    return lambda actor: service.resolve_group(group.pk, actor=actor)


def reopen() -> Act:
    group = service.resolve_group(make_group().pk, actor=PERSON)
    return lambda actor: service.reopen_group(group.pk, actor=actor)


def prove() -> Act:
    group = make_group()
    return lambda actor: service.prove_group(group.pk, actor=actor)


def settle_proof() -> Act:
    operation = service.prove_group(make_group().pk, actor=PERSON)
    service.cancel_operation(operation.pk, actor=PERSON)
    Operation.objects.filter(pk=operation.pk).update(ended_at=timezone.now())
    return lambda actor: service.settle_proofs(actor=actor)


#: By verb: what prepares it and returns the act, and its name in the audit.
SCENES: Mapping[str, tuple[Callable[[], Act], str]] = {
    "acknowledge_group": (acknowledge, "acknowledge_group"),
    "note_group": (note, "note_group"),
    "mute_group": (mute, "mute_group"),
    "unmute_group": (unmute, "unmute_group"),
    "unmute_due_groups": (unmute_due, "unmute_group"),
    "resolve_group": (resolve, "resolve_group"),
    "reopen_group": (reopen, "reopen_group"),
    "prove_group": (prove, "prove_group"),
    "settle_proofs": (settle_proof, "fail_proof"),
}
