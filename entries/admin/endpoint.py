"""Endpoints: where webhooks are delivered. What was a secret once is never shown again."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from entries.admin import show
from entries.admin.forms import MASKED
from entries.admin.listing import BoundedAdmin
from entries.endpoints import create_secret, find_address_problem, find_secret_problem
from entries.masking import is_masked, mask_address
from entries.models import Endpoint
from entries.net import InvalidAddress
from entries.net.urls import display_url, parse

if TYPE_CHECKING:
    _EndpointForm = forms.ModelForm[Endpoint]
else:
    _EndpointForm = forms.ModelForm

_NEW = "Leave it empty to have one made. It is shown once, after saving, and never again."
_KEPT = "It is not shown. Leave it empty to keep it; another one counts from the next delivery on."
SHOWN_ONCE = (
    "The secret of “{}” is <code>{}</code>. Give it to the receiver now: it is not shown again."
)


class EndpointForm(_EndpointForm):
    secret = forms.CharField(
        label="Secret",
        required=False,
        max_length=200,
        widget=forms.PasswordInput(
            render_value=False, attrs={"autocomplete": "new-password", "class": "vTextField"}
        ),
    )
    #: The secret that was made because none was given, until it has been said.
    fresh: str = ""

    class Meta:
        model = Endpoint
        fields = ("slug", "name", "url", "enabled", "secret")
        labels = {"url": "URL"}
        widgets = {"url": forms.TextInput(attrs={"class": "vURLField"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Neither shown nor compared with: an empty field is no change.
        self.initial.pop("secret", None)
        self._stored_url = self.instance.url
        if self.instance.pk:
            self.initial["url"] = mask_address(self._stored_url)
        if "secret" in self.fields:  # a reader's form has no fields
            self.fields["secret"].help_text = _KEPT if self.instance.pk else _NEW

    def clean_url(self) -> str:
        """What comes back as it was shown is what is stored; a mask is never stored."""
        url = str(self.cleaned_data["url"])
        if url == mask_address(self._stored_url):
            return self._stored_url
        if is_masked(url):
            raise forms.ValidationError(MASKED)
        if problem := find_address_problem(url):
            raise forms.ValidationError(f"{_sentence(problem)}.")
        return url

    @sensitive_variables()
    def clean_secret(self) -> str:
        given = str(self.cleaned_data["secret"])
        if given:
            if problem := find_secret_problem(given):
                raise forms.ValidationError(f"{_sentence(problem)}.")
            return given
        if self.instance.pk:
            return self.instance.secret
        self.fresh = create_secret()
        return self.fresh


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


@admin.register(Endpoint)
class EndpointAdmin(BoundedAdmin[Endpoint]):
    form = EndpointForm
    list_display = ("slug", "name", "address", "enabled", "created")
    search_fields = ("slug", "name")
    readonly_fields = ("created", "url_shown")
    change_list_template = "admin/entries/endpoint/change_list.html"

    def has_delete_permission(self, request: HttpRequest, obj: Endpoint | None = None) -> bool:
        """Entries name it; whoever wants no more deliveries to it disables it."""
        return False

    def get_readonly_fields(
        self, request: HttpRequest, obj: Endpoint | None = None
    ) -> tuple[str, ...]:
        """Entries and scripts know an endpoint by its slug."""
        return self.readonly_fields if obj is None else ("slug", *self.readonly_fields)

    def get_fieldsets(self, request: HttpRequest, obj: Endpoint | None = None) -> Any:
        """Those who may only look get no secret: Django would show them what the field holds."""
        known = ("slug", "name", "url", "enabled")
        if obj is None:
            return ((None, {"fields": (*known, "secret")}),)
        if not self.has_change_permission(request, obj):
            looked_at = ("slug", "name", "url_shown", "enabled", "created")
            return ((None, {"fields": looked_at}),)
        return ((None, {"fields": (*known, "created")}), ("Secret", {"fields": ("secret",)}))

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
        """Only what was changed is written: a page that was open for long undoes no rotation."""
        if not change:
            obj.save()
        elif form.changed_data:
            obj.save(update_fields=form.changed_data)
        if form.fresh:
            self.message_user(
                request, format_html(SHOWN_ONCE, obj.slug, form.fresh), messages.WARNING
            )

    @admin.display(description="URL")
    def address(self, endpoint: Endpoint) -> str:
        """Without its query, which may hold a token."""
        try:
            return display_url(parse(endpoint.url))
        except InvalidAddress:
            return show.NOTHING

    @admin.display(description="URL")
    def url_shown(self, endpoint: Endpoint) -> str:
        return mask_address(endpoint.url)

    @admin.display(description="created")
    def created(self, endpoint: Endpoint) -> SafeString | str:
        return show.moment(endpoint.created_at)
