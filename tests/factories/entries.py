"""Entries in every state that the database allows, each with the attempts that led there."""

from typing import Any
from uuid import uuid4

import factory
from django.utils import timezone

from entries.endpoints import create_secret
from entries.kinds.upstreams import derive_upstream
from entries.models import Attempt, Endpoint, Entry, Source
from entries.states import EntryStatus

_MANY = 20


class SourceFactory(factory.django.DjangoModelFactory[Source]):
    class Meta:
        model = Source

    slug = factory.Sequence(lambda n: f"source-{n}")
    name = factory.LazyAttribute(lambda source: source.slug.title())
    kind = "feed"
    location = "http://feed.example/atom"
    entry_kind = "page"


class EndpointFactory(factory.django.DjangoModelFactory[Endpoint]):
    class Meta:
        model = Endpoint

    slug = factory.Sequence(lambda n: f"endpoint-{n}")
    url = "https://receiver.example/hooks"
    secret = factory.LazyFunction(create_secret)


class EntryFactory(factory.django.DjangoModelFactory[Entry]):
    """``pending`` unless a trait says otherwise."""

    class Meta:
        model = Entry
        skip_postgeneration_save = True

    class Params:
        queued = factory.Trait(
            status=EntryStatus.QUEUED, attempt=1, run_id=factory.LazyFunction(uuid4)
        )
        running = factory.Trait(
            status=EntryStatus.RUNNING, attempt=1, run_id=factory.LazyFunction(uuid4)
        )
        succeeded = factory.Trait(status=EntryStatus.SUCCEEDED, attempt=1, result={"ok": True})
        discarded = factory.Trait(status=EntryStatus.DISCARDED)
        scheduled = factory.Trait(
            status=EntryStatus.SCHEDULED,
            attempt=1,
            automatic_attempts=1,
            next_attempt_at=factory.LazyFunction(timezone.now),
            error_class="TransientError",
            error_message="HTTP 503",
            fingerprint="1-503",
        )
        failed = factory.Trait(
            status=EntryStatus.FAILED,
            attempt=1,
            error_class="TransientError",
            error_message="HTTP 503 from http://page.example/1",
            fingerprint="1-503",
            failed_at=factory.LazyFunction(timezone.now),
        )

    kind = "page"
    external_id = factory.Sequence(lambda n: f"entry-{n}")
    title = factory.Sequence(lambda n: f"Entry {n}")
    payload = factory.LazyFunction(lambda: {"url": "http://page.example/1"})
    upstream = factory.LazyAttribute(
        lambda entry: derive_upstream(
            entry.kind,
            entry.payload,
            source=getattr(getattr(entry, "source", None), "slug", None),
        )
    )

    @factory.post_generation
    def attempts(self: Entry, create: bool, extracted: Any, **kwargs: Any) -> None:  # noqa: FBT001
        if create and self.attempt:
            make_attempt(self).save(force_insert=True)

    @classmethod
    def create_batch(cls, size: int, **kwargs: Any) -> list[Entry]:
        """Many are inserted together, and so are their attempts: of two statements for each, tests
        with hundreds of entries did little else."""
        if size < _MANY:
            return super().create_batch(size, **kwargs)
        made = Entry.objects.bulk_create(cls.build_batch(size, **kwargs))
        Attempt.objects.bulk_create(make_attempt(entry) for entry in made if entry.attempt)
        return made


def make_attempt(entry: Entry) -> Attempt:
    """Return the attempt of an entry that has had one, in the status that fits the entry's."""
    ended = entry.status not in {EntryStatus.QUEUED, EntryStatus.RUNNING}
    return Attempt(
        entry=entry,
        number=entry.attempt,
        run_id=entry.run_id or uuid4(),
        status="failed" if entry.status == EntryStatus.SCHEDULED else entry.status,
        previous_status=EntryStatus.PENDING,
        started_at=None if entry.status == EntryStatus.QUEUED else timezone.now(),
        ended_at=timezone.now() if ended else None,
        error_class=entry.error_class,
        error_message=entry.error_message,
        fingerprint=entry.fingerprint,
    )
