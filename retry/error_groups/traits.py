"""What the failed entries of a group share, and entries that succeeded do not."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, F, Func, IntegerField, JSONField, QuerySet, When

from entries.budget import OutOfTime, time_budget
from entries.lists import BY_ID
from entries.lists.windows import open_window
from entries.masking import is_masked, mask_values
from entries.models import Attempt, Entry
from entries.states import EntryStatus
from entries.text import one_line
from retry.access.permissions import VIEW_PAYLOAD
from retry.access.visibility import visible_entries
from retry.outcomes import Actor

#: Entries of each side that are compared, and how large a payload may be to be looked into.
SAMPLE = 500
MAX_PAYLOAD_BYTES = 16 * 1024
#: Each of the reads; what takes longer is left out.
SECONDS = 0.25
#: With fewer entries on a side every difference may be chance.
FEWEST = 5
#: What stands out: in so many of the failed at least, twice as often and by so much more often.
_SHARE = 0.2
_MOST = 10
_VALUE = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Trait:
    """``value`` is empty where having ``name`` is the trait. Counts are of the two samples."""

    name: str
    value: str
    failed: int
    succeeded: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """``traits`` by how much they stand out. ``failed``, ``succeeded``: how many were compared."""

    traits: Sequence[Trait]
    failed: int
    succeeded: int

    @property
    def possible(self) -> bool:
        return min(self.failed, self.succeeded) >= FEWEST


def compare_entries(fingerprint: str, kinds: Sequence[str], *, actor: Actor) -> Comparison:
    """Compare the newest failed entries of a group with the newest that succeeded, of its kinds.

    Both are of those that the actor may see, and those that succeeded are of the newest there are.
    """
    visible = visible_entries(actor)
    alike = visible.failed().filter(fingerprint=fingerprint).order_by("-failed_at", "-id")
    payloads = actor.may(VIEW_PAYLOAD)
    failed = _read(alike, payloads=payloads)
    succeeded: list[Mapping[str, str]] = []
    with suppress(OutOfTime), time_budget(SECONDS):
        window = open_window(visible, BY_ID)
        done = visible.filter(status=EntryStatus.SUCCEEDED, kind__in=kinds)
        succeeded = _read(window.narrow(done).order_by("-id"), payloads=payloads)
    found = Comparison(traits=(), failed=len(failed), succeeded=len(succeeded))
    if not found.possible:
        return found
    return Comparison(
        traits=_find_traits(failed, succeeded), failed=len(failed), succeeded=len(succeeded)
    )


def _find_traits(
    failed: Sequence[Mapping[str, str]], succeeded: Sequence[Mapping[str, str]]
) -> Sequence[Trait]:
    here = Counter(pair for entry in failed for pair in _list_pairs(entry))
    there = Counter(pair for entry in succeeded for pair in _list_pairs(entry))

    def difference(pair: tuple[str, str]) -> float:
        return here[pair] / len(failed) - there[pair] / len(succeeded)

    standing_out = [
        pair
        for pair, count in here.items()
        if count >= FEWEST
        and difference(pair) >= _SHARE
        and count / len(failed) >= 2 * there[pair] / len(succeeded)
    ]
    # That a key is there says nothing more where its value or a key within it stands out.
    names = {name for name, value in standing_out if value}
    names |= {name.rpartition(".")[0] for name, _ in standing_out}
    kept = [(name, value) for name, value in standing_out if value or name not in names]
    kept.sort(key=lambda pair: (-difference(pair), pair))
    return [
        Trait(name=name, value=value, failed=here[name, value], succeeded=there[name, value])
        for name, value in kept[:_MOST]
    ]


def _list_pairs(entry: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in entry.items():
        yield name, ""
        if value:
            yield name, value


def _read(found: QuerySet[Entry], *, payloads: bool) -> list[Mapping[str, str]]:
    """Read the values to compare of each entry, by name; nothing where that takes too long."""
    size = Func(F("payload"), function="pg_column_size", output_field=IntegerField())
    small = Case(When(size__lte=MAX_PAYLOAD_BYTES, then=F("payload")), output_field=JSONField())
    rows = found.annotate(size=size, small=small)
    columns = ("id", "kind", "upstream", "source__slug", "small")
    with suppress(OutOfTime), time_budget(SECONDS):
        read = list(rows.values_list(*columns)[:SAMPLE])
        current = Attempt.objects.filter(
            entry__in=[row[0] for row in read], number=F("entry__attempt")
        )
        workers = dict(current.values_list("entry_id", "worker"))
        return [
            {
                name: value
                for name, value in (
                    ("kind", kind),
                    ("upstream", upstream),
                    ("source", slug),
                    ("worker", workers.get(id_)),
                )
                if value
            }
            | dict(_flatten(payload if payloads else None))
            for id_, kind, upstream, slug, payload in read
        ]
    return []


def _flatten(payload: Any) -> Iterator[tuple[str, str]]:
    """Yield keys of two levels with their values as text; empty for what is no single value."""
    if not isinstance(payload, Mapping):
        return
    for key, value in mask_values(payload).items():
        yield from _flatten_member(f"payload.{key}", value)
        if isinstance(value, Mapping):
            for inner, member in value.items():
                yield from _flatten_member(f"payload.{key}.{inner}", member)


def _flatten_member(name: str, value: Any) -> Iterator[tuple[str, str]]:
    single = not isinstance(value, Mapping | list) and not is_masked(value)
    text = value if isinstance(value, str) else json.dumps(value)
    yield one_line(name, limit=_VALUE), one_line(text, limit=_VALUE) if single else ""
