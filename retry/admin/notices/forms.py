"""The form of a subscription."""

from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from entries.models import Endpoint, Source
from retry.models import NoticeChannel, NoticeEvent, Subscription
from retry.notices.control import Wish
from retry.notices.recording import SUBSCRIBABLE

if TYPE_CHECKING:
    _SubscriptionForm = forms.ModelForm[Subscription]
else:
    _SubscriptionForm = forms.ModelForm


_OUTAGE = _("An outage began: many more failures than usual. And when it is over")


class SubscriptionForm(_SubscriptionForm):
    events = forms.MultipleChoiceField(
        label=_("When"),
        choices=[
            (event.value, _OUTAGE if event == NoticeEvent.OUTAGE_BEGAN else event.label)
            for event in SUBSCRIBABLE
        ],
        widget=forms.CheckboxSelectMultiple,
    )
    everyones = forms.BooleanField(label=_("Also operations that others asked for"), required=False)
    source = forms.ModelChoiceField(
        queryset=Source.objects.none(),  # the page offers those that the user sees
        label=_("Only about the source"),
        empty_label=_("all sources"),
        required=False,
        help_text=_("Outages and a silent dispatcher are about all sources: not with one chosen."),
    )
    channel = forms.ChoiceField(
        label=pgettext_lazy("channel", "By"),
        choices=NoticeChannel.choices,
        initial=NoticeChannel.MAIL,
        widget=forms.RadioSelect,
    )
    address = forms.EmailField(
        label=_("Address for mails"),
        required=False,
        max_length=254,
        widget=forms.EmailInput(attrs={"class": "vTextField", "autocomplete": "email"}),
    )
    language = forms.ChoiceField(
        label=_("Language of mails"),
        required=False,
        help_text=_("Webhooks are in English."),
    )
    endpoint = forms.ModelChoiceField(
        queryset=Endpoint.objects.order_by("slug"),
        label=_("Endpoint for webhooks"),
        required=False,
        help_text=_("Its receiver gets JSON with a “text”, as chats take it, signed."),
    )
    for_all = forms.BooleanField(
        label=_("For all"),
        required=False,
        help_text=_("Not yours alone: it gets every notice, and others with the right change it."),
    )
    active = forms.BooleanField(label=_("Switched on"), required=False, initial=True)

    class Meta:
        model = Subscription
        fields = (
            "events",
            "everyones",
            "source",
            "channel",
            "address",
            "language",
            "endpoint",
            "active",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._source = self.instance.source
        if "language" in self.fields:
            field = cast("forms.ChoiceField", self.fields["language"])
            default = dict(settings.LANGUAGES).get(settings.LANGUAGE_CODE, settings.LANGUAGE_CODE)
            own = _("that of the project ({language})").format(language=default)
            field.choices = [("", own), *settings.LANGUAGES]
            if "channel" not in self.fields:
                field.help_text = ""

    def clean(self) -> dict[str, Any]:
        """Keep the target of the chosen channel, and none of the other one."""
        cleaned = super().clean() or self.cleaned_data
        mail = cleaned.get("channel", NoticeChannel.MAIL) == NoticeChannel.MAIL
        cleaned["channel"] = NoticeChannel.MAIL if mail else NoticeChannel.WEBHOOK
        wanted, other = ("address", "endpoint") if mail else ("endpoint", "address")
        if not cleaned.get(wanted) and wanted not in self.errors:
            self.add_error(wanted, _("Say where notices go."))
        cleaned[other] = "" if other == "address" else None
        return cleaned

    def build_wish(self) -> Wish:
        cleaned = self.cleaned_data
        endpoint = cast("Endpoint | None", cleaned.get("endpoint"))
        # A form without the field is that of a subscription whose source the user sees no more.
        source = cast("Source | None", cleaned.get("source", self._source))
        return Wish(
            events=cleaned["events"],
            address=cleaned.get("address") or "",
            endpoint=endpoint.slug if endpoint else "",
            source=source.slug if source else "",
            language=cleaned.get("language") or "",
            everyones=bool(cleaned.get("everyones")),
            active=bool(cleaned.get("active", True)),
        )
