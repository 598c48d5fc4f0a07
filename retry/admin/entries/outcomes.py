"""What came of a verb on a few entries: a page that follows them until they are at rest."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from django.contrib.admin import ModelAdmin
from django.contrib.humanize.templatetags.humanize import intcomma
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from entries.admin.live import LiveFragment, respond
from entries.models import Attempt, Entry
from entries.states import ACTIVE, AttemptStatus, EntryStatus
from retry.admin.shared.entry_list import BACK, get_back, get_list_url
from retry.outcomes import ItemOutcome, QueueOutcome

if TYPE_CHECKING:
    _ModelAdmin = ModelAdmin[Any]
else:
    _ModelAdmin = ModelAdmin

#: The parameter with the entries and the numbers of their attempts: ``12.3_13.1``.
_OF = "of"
MOST = 50
#: No column holds numbers with more.
_DIGITS, _ATTEMPT_DIGITS = 18, 9


@dataclass(frozen=True, slots=True)
class Row:
    """An entry with what came of it; ``rests``: no more will."""

    entry: Entry
    status: str
    rests: bool
    error_class: str
    error_message: str


class OutcomesPage(_ModelAdmin):
    """Adds the page to the list of entries."""

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(require_safe(self.outcomes_view))
        live = self.admin_site.admin_view(require_safe(self.outcomes_live_view))
        return [
            path("outcomes/", page, name="entries_entry_outcomes"),
            path("outcomes/live/", live, name="entries_entry_outcomes_live"),
            *super().get_urls(),
        ]

    def outcomes_view(self, request: HttpRequest) -> HttpResponse:
        context = self.admin_site.each_context(request) | self._build_outcomes(request)
        context |= {"title": gettext("Outcomes"), "opts": self.opts}
        return TemplateResponse(request, "admin/retry/entry/outcomes.html", context)

    def outcomes_live_view(self, request: HttpRequest) -> HttpResponse:
        context = self._build_outcomes(request)
        return respond(request, context["live"], "retry/entry/outcomes.html", context)

    def _build_outcomes(self, request: HttpRequest) -> dict[str, Any]:
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = _read_rows(request, _parse_items(request.GET.get(_OF, "")))
        back = get_back(request.GET)
        query = urlencode({_OF: request.GET.get(_OF, ""), BACK: back})
        counts = Counter(row.status for row in rows)
        return {
            "rows": rows,
            "tally": ", ".join(
                f"{intcomma(count)} {gettext(status)}" for status, count in counts.most_common()
            ),
            "back": back,
            "back_url": get_list_url(back),
            "live": LiveFragment(
                url=f"{reverse('admin:entries_entry_outcomes_live')}?{query}",
                version=_describe_version(rows),
                active=not all(row.rests for row in rows),
            ),
        }


def link_to_outcomes(request: HttpRequest, outcome: QueueOutcome | Sequence[ItemOutcome]) -> str:
    """Return the address of what comes of it; empty where nothing was done."""
    items = outcome.items if isinstance(outcome, QueueOutcome) else outcome
    done = [item for item in items if item.reason is None]
    if not done:
        return ""
    of = "_".join(
        f"{item.entry_id}.{item.attempt}" if item.attempt else str(item.entry_id) for item in done
    )
    query = {_OF: of} | ({BACK: back} if (back := request.GET.urlencode()) else {})
    return f"{reverse('admin:entries_entry_outcomes')}?{urlencode(query)}"


def _parse_items(text: str) -> Mapping[int, int]:
    """Read ids with the numbers of their attempts, 0 for none; what is neither is left out."""
    items: dict[int, int] = {}
    for part in text.split("_")[:MOST]:
        id_, _, number = part.partition(".")
        if _is_number(id_, _DIGITS) and (not number or _is_number(number, _ATTEMPT_DIGITS)):
            items[int(id_)] = int(number or 0)
    return items


def _is_number(text: str, digits: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= digits


def _read_rows(request: HttpRequest, items: Mapping[int, int]) -> list[Row]:
    visible = Entry.objects.visible_to(request.user).filter(pk__in=items).as_rows()
    entries = list(visible.order_by("pk"))
    wanted = Q(pk__in=[])
    for entry in entries:
        wanted |= Q(entry=entry.pk, number=items[entry.pk])
    attempts = {
        attempt.entry_id: attempt
        for attempt in Attempt.objects.filter(wanted).defer("traceback", "result")
    }
    return [_build_row(entry, attempts.get(entry.pk)) for entry in entries]


def _build_row(entry: Entry, attempt: Attempt | None) -> Row:
    if attempt is None:
        return Row(
            entry, entry.status, EntryStatus(entry.status) not in ACTIVE,
            entry.error_class, entry.error_message,
        )  # fmt: skip
    # A later attempt is not what came of this one.
    current = attempt.number == entry.attempt
    status = attempt.find_progress(entry).status if current else attempt.status
    rests = not current or status not in {AttemptStatus.QUEUED, AttemptStatus.RUNNING}
    return Row(entry, status, rests, attempt.error_class, attempt.error_message)


def _describe_version(rows: Iterable[Row]) -> str:
    shown = " ".join(f"{row.entry.pk} {row.status} {row.entry.status}" for row in rows)
    return sha256(shown.encode()).hexdigest()[:16]
