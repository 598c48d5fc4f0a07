"""What can be done on the page of one entry."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from entries.models import Entry
from entries.states import allowed_statuses
from retry import service
from retry.access.permissions import RESYNC_ENTRY, RETRY_ENTRY
from retry.admin.entries.edits import FORM_ID, refusing, unsaved
from retry.admin.shared import messages as words
from retry.admin.shared.acting import VerbsAdmin, actor_of
from retry.admin.shared.messages import Worded
from retry.admin.shared.selection import SelectionRefused, reason_of
from retry.errors import RetryError
from retry.outcomes import Actor, ItemOutcome

#: Does it to one entry, and says what came of it.
Act = Callable[[int, Actor, str], Iterable[Worded]]


@dataclass(frozen=True, slots=True)
class Verb:
    """``name`` is the transition's, and the last part of the address."""

    name: str
    label: str
    help: str
    permission: str
    permission_words: str
    act: Act

    def fits(self, entry: Entry) -> bool:
        if self.name == "resync" and entry.source_id is None:
            return False
        return entry.status in allowed_statuses(self.name)


@dataclass(frozen=True, slots=True)
class Button:
    label: str
    help: str
    url: str


def _queueing(verb: Callable[..., tuple[ItemOutcome, bool]]) -> Act:
    def act(entry_id: int, actor: Actor, reason: str) -> Iterable[Worded]:
        item, dispatched = verb(entry_id, actor=actor, reason=reason)
        return words.of_one(item, dispatched=dispatched)

    return act


def _stop(entry_id: int, actor: Actor, reason: str) -> Iterable[Worded]:
    return [words.of_stopped(service.stop_retrying_entry(entry_id, actor=actor, reason=reason))]


#: Where a request keeps the label of the verb that did not happen, for edits that are not saved.
_EDITED = "redrive.edited"
_MAY_RETRY, _MAY_RESYNC = "Can retry an entry", "Can resync an entry"
#: In the order of their buttons; the first that fits is the obvious one.
VERBS: Mapping[str, Verb] = {
    verb.name: verb
    for verb in (
        Verb(
            "retry",
            "Retry",
            "Retry runs the stored input again.",
            RETRY_ENTRY,
            _MAY_RETRY,
            _queueing(service.retry_entry),
        ),
        Verb(
            "retry_now",
            "Retry now",
            "Retry now does not wait until the automatic retry is due.",
            RETRY_ENTRY,
            _MAY_RETRY,
            _queueing(service.retry_entry_now),
        ),
        Verb(
            "stop",
            "Stop retrying",
            "Stop retrying makes it failed: no automatic retry comes any more.",
            RETRY_ENTRY,
            _MAY_RETRY,
            _stop,
        ),
        Verb(
            "resync",
            "Resync",
            "Resync fetches it from its source first, then runs what it got.",
            RESYNC_ENTRY,
            _MAY_RESYNC,
            _queueing(service.resync_entry),
        ),
    )
}


class EntryVerbs(VerbsAdmin):
    """The verbs of one entry, each by POST to an address of its own."""

    verbs_template: ClassVar[str | None] = "entries/entry/verbs.html"

    def get_urls(self) -> list[URLPattern]:
        def address(verb: Verb) -> URLPattern:
            def view(request: HttpRequest, object_id: str) -> HttpResponse:
                return self.verb_view(request, object_id, verb)

            guarded = self.admin_site.admin_view(require_POST(view))
            name = f"entries_entry_{verb.name}"
            return path(f"<path:object_id>/{verb.name}/", guarded, name=name)

        return [*map(address, VERBS.values()), *super().get_urls()]

    def verb_view(self, request: HttpRequest, object_id: str, verb: Verb) -> HttpResponse:
        if not self.has_view_permission(request) or not request.user.has_perm(verb.permission):
            raise PermissionDenied
        entry = self.get_object(request, object_id)
        if entry is None:
            raise Http404
        if self.has_change_permission(request, entry) and unsaved(request.POST, entry):
            return self._keep_edits(request, entry, verb)
        try:
            worded = verb.act(entry.pk, actor_of(request), reason_of(request.POST))
        except SelectionRefused as refusal:
            messages.error(request, str(refusal))
        except RetryError as error:
            words.show(request, [words.of_refusal(error)])
        else:
            words.show(request, worded)
        return self.back_to(request, entry)

    def _keep_edits(self, request: HttpRequest, entry: Entry, verb: Verb) -> HttpResponse:
        """The page as it was sent, with its edits: nothing is done, nothing is lost."""
        request.META[_EDITED] = verb.label
        url = self.page_url(entry)
        answer: HttpResponse = self.changeform_view(request, str(entry.pk), form_url=url)
        return answer

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        form = super().get_form(request, *args, **kwargs)
        label = request.META.get(_EDITED)
        return form if label is None else refusing(form, label)

    def live_context(self, request: HttpRequest, entry: Entry) -> dict[str, Any]:
        context: dict[str, Any] = super().live_context(request, entry)  # type: ignore[misc]
        fitting = [verb for verb in VERBS.values() if verb.fits(entry)]
        allowed = [verb for verb in fitting if request.user.has_perm(verb.permission)]
        edited = request.META.get(_EDITED, "")
        return context | {
            "buttons": [
                Button(
                    verb.label,
                    verb.help,
                    self.keep_filters(
                        request, reverse(f"admin:entries_entry_{verb.name}", args=[entry.pk])
                    ),
                )
                for verb in allowed
            ],
            "lacking": "" if allowed else next((v.permission_words for v in fitting), ""),
            "lacking_verb": "" if allowed else next((v.label.lower() for v in fitting), ""),
            "why_nothing": "" if fitting else words.why_not_retryable(entry.status),
            # The buttons send the edits along, so that nobody loses them unasked.
            "edits_form": FORM_ID if self.has_change_permission(request, entry) else "",
            "edited": edited,
            "reason": request.POST.get("reason", "") if edited else "",
        }
