"""What the verbs need that settle or edit entries, and the acts themselves."""

from collections.abc import Callable

from entries.content import content_hash
from entries.repairs import Repair
from retry import service
from retry.models import Action
from retry.operations.selection import Selection
from retry.outcomes import Actor
from tests.factories.entries import EntryFactory


def discard() -> Callable[[Actor], object]:
    ids = [entry.id for entry in EntryFactory.create_batch(3, failed=True)]
    return lambda actor: service.discard_entries(ids, actor=actor)


def discard_one() -> Callable[[Actor], object]:
    entry = EntryFactory.create(failed=True)
    return lambda actor: service.discard_entry(entry.id, actor=actor)


def restore() -> Callable[[Actor], object]:
    ids = [entry.id for entry in EntryFactory.create_batch(3, discarded=True)]
    return lambda actor: service.restore_entries(ids, actor=actor)


def restore_one() -> Callable[[Actor], object]:
    entry = EntryFactory.create(discarded=True)
    return lambda actor: service.restore_entry(entry.id, actor=actor)


def edit_and_retry() -> Callable[[Actor], object]:
    entry = EntryFactory.create(failed=True)
    seen = content_hash(entry.title, entry.payload)
    payload = {"url": "http://page.example/mended"}
    return lambda actor: service.edit_and_retry(entry.id, seen=seen, payload=payload, actor=actor)


def stop() -> Callable[[Actor], object]:
    ids = [entry.id for entry in EntryFactory.create_batch(3, scheduled=True)]
    return lambda actor: service.stop_retrying(ids, actor=actor)


def stop_one() -> Callable[[Actor], object]:
    entry = EntryFactory.create(scheduled=True)
    return lambda actor: service.stop_retrying_entry(entry.id, actor=actor)


def undo_repair() -> Callable[[Actor], object]:
    entry = EntryFactory.create(failed=True)
    repair = Repair(patch=({"op": "add", "path": "/url", "value": "http://page.example/2"},))
    operation = service.start_operation(
        Selection(ids=(entry.id,)),
        action=Action.REPAIR,
        repair=repair,
        actor=Actor.command("before"),
    )
    return lambda actor: service.undo_repair(operation.pk, actor=actor)
