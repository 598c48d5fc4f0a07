"""The buttons on the page of one entry."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from entries.models import Entry
from entries.states import find_allowed_statuses
from retry import service
from retry.access.permissions import RESYNC_ENTRY, RETRY_ENTRY
from retry.admin.entries.edits import FORM_ID, has_edits, make_refusing_form
from retry.admin.shared.actor import get_actor
from retry.admin.shared.messages import (
    Message,
    add_messages,
    describe_queued,
    describe_refusal,
    describe_stopped,
    explain_no_verb,
)
from retry.admin.shared.selection import SelectionRefused, parse_reason
from retry.admin.shared.verbs import VerbsAdmin
from retry.errors import RetryError
from retry.outcomes import Actor, ItemOutcome

#: Acts on one entry, and returns messages about the outcome.
Act = Callable[[int, Actor, str], Iterable[Message]]


@dataclass(frozen=True, slots=True)
class Verb:
    """``name``: of the transition, and the last part of the address."""

    name: str
    label: str
    help: str
    permission: str
    permission_words: str
    act: Act

    def is_allowed(self, entry: Entry) -> bool:
        if self.name == "resync" and entry.source_id is None:
            return False
        return entry.status in find_allowed_statuses(self.name)


@dataclass(frozen=True, slots=True)
class Button:
    label: str
    help: str
    url: str


def _queue_with(verb: Callable[..., tuple[ItemOutcome, bool]]) -> Act:
    def act(entry_id: int, actor: Actor, reason: str) -> Iterable[Message]:
        item, dispatched = verb(entry_id, actor=actor, reason=reason)
        return describe_queued(item, dispatched=dispatched)

    return act


def _stop(entry_id: int, actor: Actor, reason: str) -> Iterable[Message]:
    return [describe_stopped(service.stop_retrying_entry(entry_id, actor=actor, reason=reason))]


#: The key in ``request.META`` for the label of a button that was refused because of edits.
_REFUSED = "redrive.refused_verb"
_MAY_RETRY, _MAY_RESYNC = "Can retry an entry", "Can resync an entry"
#: In the order of their buttons; the first that is allowed is the default.
VERBS: Mapping[str, Verb] = {
    verb.name: verb
    for verb in (
        Verb(
            "retry",
            "Retry",
            "Retry runs the stored input again.",
            RETRY_ENTRY,
            _MAY_RETRY,
            _queue_with(service.retry_entry),
        ),
        Verb(
            "retry_now",
            "Retry now",
            "Retry now does not wait for the automatic retry.",
            RETRY_ENTRY,
            _MAY_RETRY,
            _queue_with(service.retry_entry_now),
        ),
        Verb(
            "stop",
            "Stop retrying",
            "Stop retrying marks the entry failed and stops automatic retries.",
            RETRY_ENTRY,
            _MAY_RETRY,
            _stop,
        ),
        Verb(
            "resync",
            "Resync",
            "Resync fetches the input from its source first, then runs it.",
            RESYNC_ENTRY,
            _MAY_RESYNC,
            _queue_with(service.resync_entry),
        ),
    )
}


class EntryVerbs(VerbsAdmin):
    """Adds one address for each verb, by POST, and the buttons that lead there."""

    verbs_template: ClassVar[str | None] = "retry/entry/verbs.html"

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
        if self.has_change_permission(request, entry) and has_edits(request.POST, entry):
            return self._keep_edits(request, entry, verb)
        try:
            outcome = verb.act(entry.pk, get_actor(request), parse_reason(request.POST))
        except SelectionRefused as refusal:
            messages.error(request, str(refusal))
        except RetryError as error:
            add_messages(request, describe_refusal(error))
        else:
            add_messages(request, *outcome)
        return self.redirect_to(request, entry)

    def _keep_edits(self, request: HttpRequest, entry: Entry, verb: Verb) -> HttpResponse:
        """Show the form with its edits again; nothing is done, nothing is lost."""
        request.META[_REFUSED] = verb.label
        url = self.get_page_url(entry)
        answer: HttpResponse = self.changeform_view(request, str(entry.pk), form_url=url)
        return answer

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        form = super().get_form(request, *args, **kwargs)
        label = request.META.get(_REFUSED)
        return form if label is None else make_refusing_form(form, label)

    def get_live_context(self, request: HttpRequest, entry: Entry) -> dict[str, Any]:
        context: dict[str, Any] = super().get_live_context(request, entry)  # type: ignore[misc]
        allowed = [verb for verb in VERBS.values() if verb.is_allowed(entry)]
        permitted = [verb for verb in allowed if request.user.has_perm(verb.permission)]
        lacking = allowed[0] if allowed and not permitted else None
        refused = request.META.get(_REFUSED, "")
        return context | {
            "buttons": [self._build_button(request, entry, verb) for verb in permitted],
            "lacking": lacking.permission_words if lacking else "",
            "lacking_verb": lacking.label.lower() if lacking else "",
            "no_verb_words": "" if allowed else explain_no_verb(entry.status),
            # The buttons submit the edits as well, so that none is lost.
            "edits_form": FORM_ID if self.has_change_permission(request, entry) else "",
            "refused": refused,
            "reason": request.POST.get("reason", "") if refused else "",
        }

    def _build_button(self, request: HttpRequest, entry: Entry, verb: Verb) -> Button:
        url = reverse(f"admin:entries_entry_{verb.name}", args=[entry.pk])
        return Button(verb.label, verb.help, self.keep_filters(request, url))
