"""What people do on the demo's first day: all of it by the verbs of the service."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from entries.filters import EntryFilter
from entries.models import Entry, Source
from entries.states import EntryStatus
from retry import service
from retry.models import Action, ErrorGroup
from retry.operations.pace import Pace
from retry.operations.selection import Selection
from retry.outcomes import Actor
from tools.demo import deliveries
from tools.demo.behaviour import Behaviour, tally
from tools.demo.people import find_actor

SOURCE = "demo"
#: The operation that is under way takes so long.
UNDER_WAY_SECONDS = 300
#: The dispatcher folds failures into groups once a second.
_WITHIN_SECONDS = 12.0


@dataclass(frozen=True, slots=True)
class Scene:
    """anna is on call, ben helps; ``pages``: how many the upstream has."""

    pages: int
    anna: Actor
    ben: Actor

    @classmethod
    def begin(cls, pages: int) -> "Scene":
        return cls(pages, find_actor("anna"), find_actor("ben"))

    def fetch(self) -> None:
        """Fetch the pages, of which many fail, and push the orders."""
        deliveries.submit(actor=self.anna)
        service.sync_source(Source.objects.get(slug=SOURCE), actor=self.anna)

    def act(self) -> None:
        """Do what people do about the failures, as soon as there are some."""
        unavailable = _wait_for_group("HTTP 503")
        gone = _wait_for_group("HTTP 404")
        refused = _wait_for_group("HTTP 422")
        self._save_views(gone)
        if refused is not None:
            self._mute(refused)
        if gone is not None:
            self._resolve_too_early(gone)
        if unavailable is not None:
            self._take_care(unavailable)
        self._wait_for_the_pages(unavailable)
        self._start_operations(unavailable)

    def _save_views(self, gone: ErrorGroup | None) -> None:
        failed = EntryFilter(status=EntryStatus.FAILED, kind="page")
        service.save_view("Failed pages", failed, actor=self.anna, shared=True)
        if gone is not None:
            missing = EntryFilter(status=EntryStatus.FAILED, fingerprint=gone.fingerprint)
            service.save_view("Missing pages", missing, actor=self.anna, shared=True)
        waiting = EntryFilter(kind="webhook", upstream=deliveries.WAITS)
        service.save_view("Waiting for the CRM", waiting, actor=self.ben)

    def _mute(self, group: ErrorGroup) -> None:
        until = timezone.now() + timedelta(days=1)
        reason = "Test customers; billing removes them tomorrow"
        service.mute_group(group.pk, actor=self.anna, until=until, reason=reason)

    def _resolve_too_early(self, group: ErrorGroup) -> None:
        """Resolve what is not over; the entry that is retried regresses it."""
        service.resolve_group(group.pk, actor=self.anna, reason="The pages are back")
        failed = Entry.objects.failed().filter(fingerprint=group.fingerprint)
        first = failed.order_by("pk").values_list("pk", flat=True).first()
        if first is not None:
            service.retry_entries([first], actor=self.ben, reason="Are the pages back?")

    def _take_care(self, group: ErrorGroup) -> None:
        service.acknowledge_group(group.pk, actor=self.anna, reason="INC-4711")
        text = "INC-4711: the hosting restarts its servers. Retry when it says it is done."
        service.note_group(group.pk, actor=self.anna, text=text)

    def _wait_for_the_pages(self, unavailable: ErrorGroup | None) -> None:
        """Wait until those that answer at once have; an operation takes what there is."""
        expected = tally(self.pages, broken=True)
        pages = Entry.objects.filter(kind="page")
        works = pages.filter(status=EntryStatus.SUCCEEDED)
        _wait_until(lambda: works.count() >= expected[Behaviour.WORKS])
        if unavailable is not None:
            alike = pages.failed().filter(fingerprint=unavailable.fingerprint)
            _wait_until(lambda: alike.count() >= expected[Behaviour.FAILS])

    def _start_operations(self, unavailable: ErrorGroup | None) -> None:
        """Start three: one awaits approval, one its time, and one is under way."""
        everything = Selection(filter=EntryFilter(source=SOURCE))
        self._start(everything, Action.RESYNC, "New templates since Monday", Pace())
        if unavailable is not None:
            alike = EntryFilter(status=EntryStatus.FAILED, fingerprint=unavailable.fingerprint)
            tonight = timezone.now().replace(minute=0, second=0, microsecond=0)
            pace = Pace(
                start_at=tonight + timedelta(hours=8), rate_per_second=10, ramp=(10, 50, 100)
            )
            reason = "INC-4711, after the restart"
            self._start(Selection(filter=alike), Action.RETRY, reason, pace, actor=self.anna)
        done = EntryFilter(status=EntryStatus.SUCCEEDED, kind="page")
        if number := Entry.objects.filter(done.condition()).count():
            pace = Pace(rate_per_second=max(number / UNDER_WAY_SECONDS, 0.05))
            self._start(Selection(filter=done), Action.RESYNC, "Prices changed", pace)

    def _start(
        self,
        selection: Selection,
        action: Action,
        reason: str,
        pace: Pace,
        *,
        actor: Actor | None = None,
    ) -> None:
        service.start_operation(
            selection, action=action, actor=actor or self.ben, reason=reason, pace=pace
        )


def _wait_for_group(message: str) -> ErrorGroup | None:
    """Return the group with entries that failed so; None where none comes in time."""
    known = ErrorGroup.objects.filter(
        message__startswith=message.lower(), sample_entry_id__isnull=False
    )
    _wait_until(known.exists)
    return known.first()


def _wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _WITHIN_SECONDS
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.1)
