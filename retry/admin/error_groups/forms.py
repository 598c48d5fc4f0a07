"""The forms of the page of an error group."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib.auth import get_user_model
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from retry.access.permissions import OPERATE
from retry.admin.shared.actions import describe_action
from retry.error_groups.proof import CANARY, PROVING
from retry.models import ErrorGroup

if TYPE_CHECKING:
    from django.contrib.auth.models import User

_HOURS = (
    ("1", _("for an hour")),
    ("24", _("for a day")),
    ("168", _("for a week")),
    ("720", _("for 30 days")),
    ("", _("without an end in time")),
)


class AcknowledgeForm(forms.Form):
    owner = forms.ModelChoiceField(
        queryset=get_user_model().objects.none(), label=_("Owner"), required=False
    )

    def __init__(self, request: HttpRequest, data: Any = None) -> None:
        super().__init__(data, initial={"owner": request.user.pk}, auto_id="id_acknowledge_%s")
        staff = get_user_model().objects.filter(is_active=True, is_staff=True)
        owner = cast("forms.ModelChoiceField[User]", self.fields["owner"])
        owner.queryset = staff.order_by("username")
        owner.empty_label = None


class MuteForm(forms.Form):
    hours = forms.ChoiceField(label=_("Mute"), choices=_HOURS, required=False)
    above = forms.IntegerField(
        label=_("until more than so many further failures"),
        required=False,
        min_value=0,
        max_value=1_000_000_000,
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, initial={"hours": "24"}, auto_id="id_mute_%s")

    def find_end(self) -> datetime | None:
        hours = self.cleaned_data["hours"]
        return timezone.now() + timedelta(hours=int(hours)) if hours else None


class NoteForm(forms.Form):
    text = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 40}),
    )

    def __init__(self, group: ErrorGroup | None = None, data: Any = None) -> None:
        text = group.note if group is not None else ""
        super().__init__(data, initial={"text": text}, auto_id="id_note_%s")


class ProveForm(forms.Form):
    action = forms.ChoiceField(label=_("By"))
    canary_size = forms.IntegerField(
        label=_("Entries that go first"), min_value=1, max_value=10_000, initial=CANARY
    )
    rate_per_second = forms.FloatField(
        label=_("Then per second"), required=False, min_value=0.01, max_value=1_000_000
    )

    def __init__(self, request: HttpRequest, data: Any = None, *, suggested: str = "") -> None:
        super().__init__(data, initial={"action": suggested}, auto_id="id_prove_%s")
        allowed = [action for action in PROVING if request.user.has_perm(OPERATE[action])]
        choices = [(action.value, describe_action(action).do) for action in allowed]
        cast("forms.ChoiceField", self.fields["action"]).choices = choices
