"""Which sources and kinds there are: a filter by another name is a mistake, not an empty answer."""

from django.db import OperationalError, connection, transaction

from entries.kinds import registry
from entries.models import Entry, Source

#: Names that are told to somebody who has misspelt one.
MOST = 50
#: For so long entries of a kind that is not installed any more are looked for.
_SECONDS = 1.0


def known_sources() -> list[str]:
    return list(Source.objects.order_by("slug").values_list("slug", flat=True)[:MOST])


def known_kinds() -> list[str]:
    return registry.names()[:MOST]


def is_source(slug: str) -> bool:
    return "\0" not in slug and Source.objects.filter(slug=slug).exists()


def is_kind(name: str) -> bool:
    """It is installed, or there are entries of it. Where looking for them takes too long, yes."""
    if name in registry.names():
        return True
    if "\0" in name:
        return False
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = %s", [int(_SECONDS * 1000)])
            return Entry.objects.filter(kind=name).exists()
    except OperationalError:
        return True
