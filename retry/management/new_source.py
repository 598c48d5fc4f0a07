"""Adding a source from the shell, checked as in the admin."""

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.db import transaction

from entries.errors import UnknownKind, UnknownSourceKind
from entries.kinds import registry as kinds
from entries.models import Source
from entries.sources import registry as sources
from entries.sources.sync.calls import build_spec
from retry import edits
from retry.outcomes import Actor


def add_source(source: Source, *, actor: Actor) -> None:
    """Check and store a new source, with its audit row. Raises ``CommandError``."""
    _validate(source)
    with transaction.atomic():
        source.save()
        edits.record_addition(source, actor=actor)


def _validate(source: Source) -> None:
    try:
        kind = sources.get(source.kind)
        kinds.get(source.entry_kind)
        source.full_clean()
    except (UnknownKind, UnknownSourceKind) as error:
        raise CommandError(str(error)) from error
    except ValidationError as error:
        invalid = (f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items())
        raise CommandError("; ".join(invalid)) from error
    problems = kind.problems_with(build_spec(source))
    if problems:
        raise CommandError("; ".join(problems))
