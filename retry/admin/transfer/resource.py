"""The library's resource of an import: it looks, and what it stores goes through the service."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from import_export.instance_loaders import BaseInstanceLoader
from import_export.resources import ModelResource

from entries.models import Entry
from entries.sources.base import SourceItem
from entries.text import clean_text
from retry import service
from retry.admin.transfer.reading import KNOWN_COLUMNS, Table
from retry.admin.transfer.rows import Foreseen, RowRefused, fate_of, id_of, item_of
from retry.outcomes import Actor
from retry.submission import LIMIT, SubmitOutcome, destination, problems_with

#: Rows shown of each sort; a preview is to be read by people.
SHOWN = 100
_ORDER = ("error", "changed", "new", "alone")


class KnownEntries(BaseInstanceLoader):
    """What ``before_import`` has loaded, a thousand at a time."""

    def get_instance(self, row: Mapping[str, Any]) -> Entry | None:
        known: dict[str, Entry] = self.resource.known
        return known.get(id_of(row["external_id"]))


class EntryImport(ModelResource):
    """A dry run reads and compares. The real run submits, a thousand entries in a transaction."""

    class Meta:
        model = Entry
        fields = ("external_id", "title", "payload")
        import_id_fields = ("external_id",)
        instance_loader_class = KnownEntries
        use_bulk = True
        use_transactions = False
        skip_unchanged = True
        report_skipped = True
        # Its diff is made of inline styles; ours says what would change, member by member.
        skip_diff = True

    def __init__(
        self,
        *,
        kind: str = "",
        source: str | None = None,
        actor: Actor | None = None,
        reason: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.kind, self.source, self.actor, self.reason = kind, source, actor, reason
        self.known: dict[str, Entry] = {}
        self.items: list[SourceItem] = []
        self.foreseen: dict[str, list[Foreseen]] = {what: [] for what in _ORDER}
        self.counts: Counter[str] = Counter()
        self.will_queue = 0
        self.ignored: list[str] = []
        self.outcomes: list[SubmitOutcome] = []
        self._lines: Sequence[int] = ()
        self._line_of: dict[str, int] = {}
        self._at: tuple[int, SourceItem] | None = None

    # --- before ---------------------------------------------------------------------------------

    def before_import(self, dataset: Table, **kwargs: Any) -> None:
        source_id, self.kind = destination(kind=self.kind or None, source=self.source)
        self._lines = dataset.lines
        if "payload" in dataset.headers:
            self.ignored = [name for name in dataset.headers if name not in KNOWN_COLUMNS]
        ids = sorted({id_of(cell) for cell in dataset["external_id"]})
        fields = ("external_id", "title", "payload", "content_hash", "status", "kind", "attempt")
        there = Entry.objects.filter(source=source_id or None)
        for start in range(0, len(ids), LIMIT):
            found = there.filter(external_id__in=_storable(ids[start : start + LIMIT]))
            self.known |= {entry.external_id: entry for entry in found.only(*fields)}

    # --- each row -------------------------------------------------------------------------------

    def import_instance(self, instance: Entry, row: Mapping[str, Any], **kwargs: Any) -> None:
        """Raises ``ValidationError`` with what is wrong, member by member."""
        line = self._lines[kwargs["row_number"] - 1]
        external_id = id_of(row["external_id"])
        known = self.known.get(external_id)
        try:
            item = item_of(row, known)
            problems = problems_with(item)
        except RowRefused as refusal:
            problems = {refusal.member: str(refusal)}
        before = self._line_of.setdefault(external_id, line)
        if before != line:
            problems["external_id"] = f"is the same as in line {before:,}"
        if problems:
            self._refuse(line, external_id, problems)
        self._at = line, item

    def _refuse(self, line: int, external_id: str, problems: Mapping[str, str]) -> None:
        errors = tuple(f"{member} {message}" for member, message in problems.items())
        self._note(Foreseen(line, external_id[:200], "", "error", "Cannot be stored", (), errors))
        raise ValidationError({member: [message] for member, message in problems.items()})

    def skip_row(
        self,
        instance: Entry,
        original: Entry | None,
        row: Mapping[str, Any],
        import_validation_errors: Mapping[str, Any] | None = None,
    ) -> bool:
        if import_validation_errors or self._at is None:
            return False
        line, item = self._at
        known = self.known.get(item.external_id)
        fate = fate_of(item, known, kind=self.kind)
        self.items.append(item)
        self.will_queue += fate.reason is None
        found = Foreseen.of(line, item, known, fate)
        self._note(found)
        return found.what in {"unchanged", "alone"}

    def _note(self, found: Foreseen) -> None:
        self.counts[found.what] += 1
        shown = self.foreseen.get(found.what)
        if shown is not None and len(shown) < SHOWN:
            shown.append(found)

    def save_instance(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: what is to be stored is in ``items``."""

    # --- after ----------------------------------------------------------------------------------

    def after_import(self, dataset: Table, result: Any, **kwargs: Any) -> None:
        result.resource = self  # for the page
        if kwargs.get("dry_run", True) or result.has_errors() or result.has_validation_errors():
            return
        assert self.actor is not None  # noqa: S101 - for the type checker
        for start in range(0, len(self.items), LIMIT):
            self.outcomes.append(
                service.submit(
                    self.items[start : start + LIMIT],
                    kind=self.kind,
                    source=self.source,
                    actor=self.actor,
                    reason=self.reason,
                )
            )

    def rows(self) -> Iterator[Foreseen]:
        """What is worth reading, the errors first."""
        for what in _ORDER:
            yield from self.foreseen[what]


def _storable(ids: Sequence[str]) -> list[str]:
    """PostgreSQL cannot even be asked for the others; their rows say so themselves."""
    return [id_ for id_ in ids if clean_text(id_, limit=len(id_)) == id_]
