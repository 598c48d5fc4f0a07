"""The form of a token: what it may do, where, and until when."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib.auth import get_user_model
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from entries.models import Source
from retry.access.permissions import ISSUE_TOKEN
from retry.access.scopes import SCOPES, TokenScope
from retry.access.tokens import Terms
from retry.access.visibility import visible_sources
from retry.models import ApiToken
from retry.outcomes import Actor

if TYPE_CHECKING:
    from django.contrib.auth.models import User

_DAYS = (7, 30, 90, 365)
_KEEP = "keep"
#: In a list to choose from.
_MOST_SOURCES = 1_000


class TermsForm(forms.Form):
    """What a token may do. Nothing is wider than it has to be unless that is chosen."""

    reach = forms.ChoiceField(
        label=_("It may"),
        choices=[
            ("read", _("only read")),
            ("some", _("only what is ticked here")),
            ("all", _("do everything that its user may do")),
        ],
        widget=forms.RadioSelect,
        initial="read",
    )
    scopes = forms.MultipleChoiceField(
        label=_("Ticked"),
        required=False,
        choices=[
            (scope.value, format_lazy("{}: {}", scope.value, meaning.words))
            for scope, meaning in SCOPES.items()
        ],
        widget=forms.CheckboxSelectMultiple,
    )
    where = forms.ChoiceField(
        label=_("With entries of"),
        choices=[("all", _("all sources")), ("some", _("only the sources chosen here"))],
        widget=forms.RadioSelect,
        initial="all",
    )
    sources = forms.ModelMultipleChoiceField(
        queryset=Source.objects.none(),
        label=_("Sources"),
        required=False,
        widget=forms.SelectMultiple(attrs={"size": 6}),
    )
    days = forms.ChoiceField(label=_("It expires"), required=False, initial="90")

    def __init__(self, data: Any = None, *, actor: Actor, token: ApiToken | None = None) -> None:
        initial = {} if token is None else _read_terms(token)
        super().__init__(data, initial=initial, label_suffix="")
        self._token = token
        sources = cast("forms.ModelMultipleChoiceField[Source]", self.fields["sources"])
        sources.queryset = visible_sources(actor).order_by("slug")[:_MOST_SOURCES]
        # Sliced for the page; what is sent is looked up among all.
        if data is not None:
            sources.queryset = visible_sources(actor)
        days = cast("forms.ChoiceField", self.fields["days"])
        days.choices = [*self._list_ends()]

    def _list_ends(self) -> list[tuple[str, str]]:
        ends = [
            (str(n), ngettext("in %(count)d day", "in %(count)d days", n) % {"count": n})
            for n in _DAYS
        ]
        ends.append(("", gettext("never")))
        return ends if self._token is None else [(_KEEP, gettext("as now")), *ends]

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if found.get("reach") == "some" and not found.get("scopes"):
            self.add_error("scopes", gettext("Tick what it may do."))
        if found.get("where") == "some" and not found.get("sources"):
            self.add_error("sources", gettext("Choose sources."))
        return found

    def build_terms(self) -> Terms:
        chosen = self.cleaned_data
        scopes = {"read": {TokenScope.READ}, "some": chosen["scopes"]}.get(chosen["reach"])
        sources = chosen["sources"] if chosen["where"] == "some" else None
        return Terms(
            scopes=None if scopes is None else frozenset(map(str, scopes)),
            source_ids=None if sources is None else frozenset(source.pk for source in sources),
            expires_at=self._find_end(chosen["days"]),
        )

    def _find_end(self, days: str) -> datetime | None:
        if days == _KEEP:
            return self._token.expires_at if self._token else None
        return timezone.now() + timedelta(days=int(days)) if days else None


class NewTokenForm(TermsForm):
    """With its user, for who may make tokens for others, and a name."""

    user = forms.ModelChoiceField(
        queryset=get_user_model().objects.none(), label=_("For"), empty_label=None
    )
    name = forms.CharField(
        label=_("Name"),
        max_length=100,
        help_text=_("What it is for, such as “nightly retry”."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    field_order = ("name", "user", "reach", "scopes", "where", "sources", "days")

    def __init__(self, data: Any = None, *, actor: Actor) -> None:
        super().__init__(data, actor=actor)
        if actor.may(ISSUE_TOKEN):
            staff = get_user_model().objects.filter(is_active=True, is_staff=True)
            users = cast("forms.ModelChoiceField[User]", self.fields["user"])
            users.queryset = staff.order_by("username")
            users.initial = actor.user_id
        else:
            del self.fields["user"]


def _read_terms(token: ApiToken) -> dict[str, Any]:
    reads = token.scopes == [TokenScope.READ.value]
    return {
        "reach": "all" if token.scopes is None else "read" if reads else "some",
        "scopes": token.scopes or [],
        "where": "all" if token.source_ids is None else "some",
        "sources": token.source_ids or [],
        "days": _KEEP,
    }
