"""Endpoints: where webhooks are delivered. A secret is shown once, when it is made."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from entries.admin import display
from entries.admin.forms import MASKED
from entries.admin.lists import BoundedAdmin
from entries.encryption import is_unreadable
from entries.endpoints import create_secret, find_address_problem, find_secret_problem
from entries.masking import is_masked, mask_address
from entries.models import Endpoint
from entries.net import InvalidAddress
from entries.net.urls import display_url, parse
from entries.phrases import show

if TYPE_CHECKING:
    _EndpointForm = forms.ModelForm[Endpoint]
else:
    _EndpointForm = forms.ModelForm

_NEW = _("Leave empty to generate one. It is shown once, after you save.")
_KEPT = _("Never shown. Leave empty to keep it. A new secret signs the next delivery.")
_OVERLAP = _("For so long, deliveries are signed with both: time for the receiver to change over.")
#: Hours that the old secret signs beside a new one.
_HOURS = ((0, _("not at all")), (1, _("1 hour")), (24, _("24 hours")), (168, _("7 days")))
SHOWN_ONCE = _(
    "The secret of “{}” is <code>{}</code>. Copy it to the receiver now: it is not shown again."
)


class Overlap(forms.ChoiceField):
    """How long; no change by itself."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        return False


class EndpointForm(_EndpointForm):
    secret = forms.CharField(
        label=_("Secret"),
        required=False,
        max_length=200,
        widget=forms.PasswordInput(
            render_value=False, attrs={"autocomplete": "new-password", "class": "vTextField"}
        ),
    )
    generate = forms.BooleanField(label=_("Generate a new secret"), required=False)
    overlap = Overlap(
        label=_("The old secret signs as well"),
        choices=_HOURS,
        initial=24,
        required=False,
        help_text=_OVERLAP,
    )
    #: The generated secret, until it has been shown.
    fresh: str = ""

    class Meta:
        model = Endpoint
        fields = ("slug", "name", "url", "enabled", "secret")
        labels = {"url": _("URL")}
        widgets = {"url": forms.TextInput(attrs={"class": "vURLField"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Never shown: an empty field means no change.
        self.initial.pop("secret", None)
        self._stored_url = self.instance.url
        if self.instance.pk:
            self.initial["url"] = mask_address(self._stored_url)
        if "secret" in self.fields:  # a reader's form has no fields
            self.fields["secret"].help_text = _KEPT if self.instance.pk else _NEW

    def clean_url(self) -> str:
        """Keep the stored address if it comes back as it was shown; never store a mask."""
        url = str(self.cleaned_data["url"])
        if url == mask_address(self._stored_url):
            return self._stored_url
        if is_masked(url):
            raise forms.ValidationError(MASKED)
        if problem := find_address_problem(url):
            raise forms.ValidationError(_say(problem))
        return url

    @sensitive_variables()
    def clean_secret(self) -> str:
        given = str(self.cleaned_data["secret"])
        if given:
            if problem := find_secret_problem(given):
                raise forms.ValidationError(_say(problem))
            return given
        if self.instance.pk and not self.data.get(self.add_prefix("generate")):
            return self.instance.secret
        self.fresh = create_secret()
        return self.fresh

    @sensitive_variables()
    def _post_clean(self) -> None:
        """Keep the old secret beside a new one for as long as was asked."""
        before = self.instance.secret
        super()._post_clean()  # type: ignore[misc]
        if not self.instance.pk or self.instance.secret == before:
            return
        hours = int(self.cleaned_data.get("overlap") or 0)
        self.instance.previous_secret = before if hours else ""
        self.instance.previous_until = timezone.now() + timedelta(hours=hours) if hours else None


def _list_columns(form: Any) -> list[str]:
    """List the columns that an edit changes."""
    changed = set(form.changed_data)
    if changed & {"secret", "generate"}:
        changed |= {"secret", "previous_secret", "previous_until"}
    return sorted(changed - {"generate"})


def _say(problem: str) -> str:
    return gettext("%(problem)s.") % {"problem": capfirst(show(problem))}


class EndpointAdmin(BoundedAdmin[Endpoint]):
    form = EndpointForm
    list_display = ("slug", "name", "address", "enabled", "created")
    search_fields = ("slug", "name")
    readonly_fields = ("created", "url_text", "signing")
    blank_template = "entries/endpoint/none.html"

    def has_delete_permission(self, request: HttpRequest, obj: Endpoint | None = None) -> bool:
        """Entries refer to it: disable it instead."""
        return False

    def get_readonly_fields(
        self, request: HttpRequest, obj: Endpoint | None = None
    ) -> tuple[str, ...]:
        """Keep the slug: entries and scripts refer to it."""
        return self.readonly_fields if obj is None else ("slug", *self.readonly_fields)

    def get_fieldsets(self, request: HttpRequest, obj: Endpoint | None = None) -> Any:
        """Leave out the secret for those who may only view: Django would show it as text."""
        known = ("slug", "name", "url", "enabled")
        if obj is None:
            return ((None, {"fields": (*known, "secret")}),)
        if not self.has_change_permission(request, obj):
            readable = ("slug", "name", "url_text", "enabled", "created")
            return ((None, {"fields": readable}),)
        return (
            (None, {"fields": (*known, "created")}),
            (gettext("Secret"), {"fields": ("secret", "generate", "overlap", "signing")}),
        )

    @method_decorator(sensitive_post_parameters("secret"))
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        return super().changeform_view(request, object_id, form_url, extra_context)

    @sensitive_variables()
    def save_model(self, request: HttpRequest, obj: Endpoint, form: Any, change: bool) -> None:  # noqa: FBT001
        """Write only the edited columns: a page left open must not undo a new secret."""
        if not change:
            obj.save()
        elif changed := _list_columns(form):
            obj.save(update_fields=changed)
        if form.fresh:
            self.message_user(
                request, format_html(str(SHOWN_ONCE), obj.slug, form.fresh), messages.WARNING
            )

    @admin.display(description=_("URL"))
    def address(self, endpoint: Endpoint) -> str:
        """Show the URL without its query, which may hold a token."""
        try:
            return display_url(parse(endpoint.url))
        except InvalidAddress:
            return display.NOTHING

    @admin.display(description=_("URL"))
    def url_text(self, endpoint: Endpoint) -> str:
        return mask_address(endpoint.url)

    @admin.display(description=_("signing now"))
    def signing(self, endpoint: Endpoint) -> str:
        """Say which secrets sign, and whether they can be read."""
        if is_unreadable(endpoint.secret):
            return gettext("The key that encrypted the secret is missing; deliveries fail.")
        until = endpoint.previous_until
        if not endpoint.previous_secret or until is None or until < timezone.now():
            return gettext("the secret")
        moment = date_format(timezone.localtime(until), "Y-m-d H:i T")
        return gettext("the secret and, until %(time)s, the one before it") % {"time": moment}

    @admin.display(description=_("created"))
    def created(self, endpoint: Endpoint) -> SafeString | str:
        return display.format_moment(endpoint.created_at)
