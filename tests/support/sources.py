"""Kinds of source for tests; each does what its options say."""

from collections.abc import Iterator
from pathlib import Path
from time import sleep
from typing import ClassVar

from entries.errors import SourceError
from entries.sources.base import Invalid, Note, Reading, SourceItem, SourceKind, SourceSpec
from entries.sources.registry import register


@register
class Numbered(SourceKind):
    """Items ``item-<from>`` to ``item-<to>``, made one by one while they are read.

    ``revision``: stands in each payload. ``changed_every``: every so many say another revision.
    ``unknown_total``: it does not know how many there are. ``fail_at``, ``break_at``: the source,
    or this kind, breaks before that item. ``wait_at``: before that item it waits for the file
    ``wait_for``, and touches the file ``ledger`` first. ``invalid``: so many come first that the
    source can make nothing of; ``known_invalid``: one of which it can read the id alone comes last.
    ``partial``: what it says at the end of what it could not read.
    """

    name: ClassVar[str] = "numbered"
    description: ClassVar[str] = "For tests."

    def read(self, spec: SourceSpec) -> Reading:
        options = spec.options
        total = options.get("to", 0) - options.get("from", 1) + 1
        if options.get("not_modified"):
            return Reading(iter(()), not_modified=True)
        return Reading(
            _items(spec), etag='"new"', total=None if options.get("unknown_total") else total
        )


def _items(spec: SourceSpec) -> Iterator[SourceItem | Invalid | Note]:
    options = spec.options
    for line in range(options.get("invalid", 0)):
        yield Invalid("not a row", f"line {line + 1}")
    every = options.get("changed_every", 0)
    for number in range(options.get("from", 1), options.get("to", 0) + 1):
        if number == options.get("fail_at"):
            raise SourceError("unreachable", "the line went dead")
        if number == options.get("break_at"):
            raise KeyError("title")
        if number == options.get("wait_at"):
            _wait(options["ledger"], options["wait_for"])
        revision = options.get("revision", 1) + bool(every and number % every == 0)
        payload = {"url": f"http://page.example/{number}", "revision": revision}
        yield SourceItem(f"item-{number}", f"Item {number}", payload)
    if "known_invalid" in options:
        yield Invalid("not a row", external_id=options["known_invalid"])
    if "partial" in options:
        yield Note(options["partial"], partial=True)


def _wait(ledger: str, wait_for: str) -> None:
    Path(ledger).touch()
    while not Path(wait_for).exists():
        sleep(0.01)
