"""Short words for what tests keep asking."""

from retry.outcomes import Actor, Channel
from retry.service import retry_entries
from tests.factories.entries import EntryFactory

SCRIPT = Actor("script", Channel.COMMAND)


def queued_entries(count: int = 1, *, kind: str = "scripted", **payload: object) -> list[int]:
    """Ids of failed entries that have just been put back to work."""
    ids = [
        entry.id
        for entry in EntryFactory.create_batch(count, failed=True, kind=kind, payload=payload)
    ]
    outcome = retry_entries(ids, actor=SCRIPT)
    assert outcome.queued == count
    return ids
