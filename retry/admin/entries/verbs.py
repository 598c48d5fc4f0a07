"""The buttons on the page of one entry."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from entries.models import Entry
from entries.phrases import show
from retry import service
from retry.access.permissions import VIEW_PAYLOAD
from retry.admin.entries.acts import VERBS, Verb
from retry.admin.entries.edits import (
    FORM_ID,
    describe_unsaved,
    has_edits,
    make_refusing_form,
    read_changes,
)
from retry.admin.shared.actor import get_actor
from retry.admin.shared.messages import (
    add_messages,
    describe_queued,
    describe_refusal,
    explain_no_verb,
)
from retry.admin.shared.refusals import show_refusals
from retry.admin.shared.selection import parse_reason
from retry.admin.shared.verbs import VerbsAdmin
from retry.errors import ContentRefused, EntryChanged, EntryNotFound, RetryError

#: The keys in ``request.META`` for the button that was refused because of edits, and why.
_REFUSED, _WHY = "redrive.refused_verb", "redrive.refused_because"


@dataclass(frozen=True, slots=True)
class Button:
    """``saves``: its label where the form has unsaved edits, which it then stores."""

    label: str
    help: str
    url: str
    saves: str = ""
    is_apart: bool = False


@dataclass(frozen=True, slots=True)
class Unfit:
    """Buttons that do nothing now, and the reason, in words."""

    why: str
    labels: Sequence[str]


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
        edited = self.has_change_permission(request, entry) and has_edits(request.POST, entry)
        if edited and not verb.saves_edits:
            return self._keep_edits(request, entry, verb, describe_unsaved(gettext(verb.label)))
        with show_refusals(request, missing=EntryNotFound):
            reason = parse_reason(request.POST)
            if edited:
                return self._edit_and_retry(request, entry, verb, reason)
            add_messages(request, *verb.act(entry.pk, get_actor(request), reason))
        return self.redirect_to(request, entry)

    def _edit_and_retry(
        self, request: HttpRequest, entry: Entry, verb: Verb, reason: str
    ) -> HttpResponse:
        """Store the edits and queue the entry with them; where that is refused, keep the edits."""
        form = self.get_form(request, entry, change=True)(request.POST, instance=entry)
        # The form says itself what is wrong with it.
        why = ""
        if form.is_valid():
            try:
                item, dispatched = service.edit_and_retry(
                    entry.pk,
                    **read_changes(form),
                    actor=get_actor(request),
                    reason=reason,
                )
            except (ContentRefused, EntryChanged) as error:
                why = show(error)
            except RetryError as error:
                why = describe_refusal(error).text
            else:
                add_messages(request, *describe_queued(item, dispatched=dispatched, edited=True))
                return self.redirect_to(request, entry)
        return self._keep_edits(request, entry, verb, why)

    def _keep_edits(self, request: HttpRequest, entry: Entry, verb: Verb, why: str) -> HttpResponse:
        """Show the form with its edits again; nothing is done, nothing is lost."""
        request.META[_REFUSED], request.META[_WHY] = verb, why
        url = self.get_page_url(entry)
        answer: HttpResponse = self.changeform_view(request, str(entry.pk), form_url=url)
        return answer

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        form = super().get_form(request, *args, **kwargs)
        refused = _REFUSED in request.META
        return make_refusing_form(form, request.META[_WHY]) if refused else form

    def get_live_context(self, request: HttpRequest, entry: Entry) -> dict[str, Any]:
        context: dict[str, Any] = super().get_live_context(request, entry)  # type: ignore[misc]
        why = {verb.name: verb.explain(entry, request.user) for verb in VERBS.values()}
        fitting = [verb for verb in VERBS.values() if not why[verb.name]]
        allowed = [verb for verb in VERBS.values() if verb.find_reason(entry) is None]
        may = any(request.user.has_perm(verb.permission) for verb in VERBS.values())
        lacking = allowed[0] if allowed and not may else None
        refused: Verb | None = request.META.get(_REFUSED)
        editable = self.has_change_permission(request, entry)
        buttons = [self._build_button(request, entry, verb) for verb in fitting]
        no_verb = "" if fitting else explain_no_verb(entry.status, is_deferred=entry.is_deferred)
        return context | {
            "buttons": buttons,
            "unfit": _group_unfit(why) if may else (),
            "lacking": _describe_lacking(lacking) if lacking else "",
            "no_verb_words": "" if may and no_verb in why.values() else no_verb,
            # The buttons submit the edits as well, so that none is lost.
            "edits_form": FORM_ID if editable else "",
            "edit_button": next((b for b in buttons if b.saves), None)
            if editable and request.user.has_perm(VIEW_PAYLOAD)
            else None,
            "refused": gettext(refused.label) if refused else "",
            "reason": request.POST.get("reason", "") if refused else "",
        }

    def _build_button(self, request: HttpRequest, entry: Entry, verb: Verb) -> Button:
        url = reverse(f"admin:entries_entry_{verb.name}", args=[entry.pk])
        label = gettext(verb.label)
        return Button(
            label,
            verb.describe(entry),
            self.keep_filters(request, url),
            saves=gettext("Save and retry") if verb.saves_edits else "",
            is_apart=verb.is_apart,
        )


def _describe_lacking(verb: Verb) -> str:
    return gettext(verb.lacking) % {"name": gettext(verb.permission_words)}


def _group_unfit(why: dict[str, str]) -> Iterable[Unfit]:
    """Group the verbs that do not fit by the reason, in the order of the buttons."""
    groups: dict[str, list[str]] = {}
    for name, words in why.items():
        if words:
            groups.setdefault(words, []).append(gettext(VERBS[name].label))
    return [Unfit(words, labels) for words, labels in groups.items()]
