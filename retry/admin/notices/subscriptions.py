"""Subscriptions: what the user wants to know, and how notices reach them."""

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet
from django.forms import ModelChoiceField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy, pgettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from entries.admin import display
from entries.admin.lists import BoundedAdmin
from entries.models import NOTICE_SOURCE_KIND, Source
from retry import service
from retry.access.permissions import SUBMIT_ENTRY, SUBSCRIBE_ALL, VIEW_ENDPOINT, VIEW_ENTRY
from retry.access.subscriptions import visible_subscriptions
from retry.access.visibility import find_sources, sees_everything, visible_sources
from retry.admin.notices.forms import SubscriptionForm
from retry.admin.notices.words import describe_events
from retry.admin.shared.actor import get_actor
from retry.admin.shared.audited import AuditedAdmin
from retry.admin.shared.messages import PENDING, Message, add_messages
from retry.admin.shared.refusals import show_refusals
from retry.models import Subscription
from retry.notices.errors import SubscriptionNotFound


class SubscriptionAdmin(AuditedAdmin, BoundedAdmin[Subscription]):
    """Django's pages for one's own subscriptions; each change is a verb of the service."""

    form = SubscriptionForm
    list_display = ("what", "how", "whose", "state", "since")
    ordering = ("pk",)
    #: Few rows, each with a page: nothing to tick.
    actions = None
    change_list_template = "admin/retry/subscription/change_list.html"
    change_form_template = "admin/retry/subscription/change_form.html"
    blank_template = "retry/subscription/none.html"

    @admin.display(description=gettext_lazy("when"))
    def what(self, subscription: Subscription) -> str:
        what = describe_events(subscription.events)
        if subscription.source is None:
            return what
        if not getattr(subscription, "sees_source", False):
            return _("{events}; only about a source that you may not see").format(events=what)
        return _("{events}; only about {source}").format(events=what, source=subscription.source)

    @admin.display(description=pgettext_lazy("channel", "by"))
    def how(self, subscription: Subscription) -> SafeString:
        channel = subscription.get_channel_display()
        return display.format_name(f"{channel}: {subscription.target}")

    @admin.display(description=gettext_lazy("for"))
    def whose(self, subscription: Subscription) -> str:
        return _("all") if subscription.owner_id is None else str(subscription.owner)

    @admin.display(description=gettext_lazy("switched on"), boolean=True)
    def state(self, subscription: Subscription) -> bool:
        return subscription.active

    @admin.display(description=gettext_lazy("since"))
    def since(self, subscription: Subscription) -> SafeString | str:
        return display.format_moment(subscription.created_at)

    # --- who may -------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subscription]:
        """``sees_source``: whether a list may name the source that one is about."""
        actor = get_actor(request)
        sources = visible_sources(actor).filter(pk=OuterRef("source_id"))
        return visible_subscriptions(actor).order_by("pk").annotate(sees_source=Exists(sources))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(VIEW_ENTRY)

    def has_view_permission(self, request: HttpRequest, obj: Subscription | None = None) -> bool:
        return request.user.has_perm(VIEW_ENTRY)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(VIEW_ENTRY)

    def has_change_permission(self, request: HttpRequest, obj: Subscription | None = None) -> bool:
        return request.user.has_perm(VIEW_ENTRY)

    def has_delete_permission(self, request: HttpRequest, obj: Subscription | None = None) -> bool:
        return request.user.has_perm(VIEW_ENTRY)

    # --- the form ------------------------------------------------------------------------------

    def get_fieldsets(self, request: HttpRequest, obj: Subscription | None = None) -> Any:
        """Offer webhooks to those who may push to endpoints, and "for all" where it is allowed."""
        how = ["address", "language"]
        if request.user.has_perm(SUBMIT_ENTRY) and request.user.has_perm(VIEW_ENDPOINT):
            how = ["channel", "address", "language", "endpoint"]
        may_for_all = request.user.has_perm(SUBSCRIBE_ALL) and sees_everything(get_actor(request))
        last = ["active"] if obj is not None else ["for_all"] if may_for_all else []
        # Who does not see the source any more keeps it, or ends the subscription.
        hidden = obj is not None and obj.source and not self._sees_source(request, obj)
        what = ("events", "everyones") if hidden else ("events", "everyones", "source")
        return (
            (_("Tell me"), {"fields": what}),
            (_("How"), {"fields": (*how, *last)}),
        )

    def get_form(
        self, request: HttpRequest, obj: Subscription | None = None, *args: Any, **kwargs: Any
    ) -> Any:
        """Leave out what is not shown: Django keeps the fields that a form declares."""
        form = super().get_form(request, obj, *args, **kwargs)
        shown = flatten_fieldsets(self.get_fieldsets(request, obj))
        for name in set(form.base_fields).difference(shown):
            del form.base_fields[name]
        if "source" in form.base_fields:
            sources = visible_sources(get_actor(request)).exclude(kind=NOTICE_SOURCE_KIND)
            field = cast("ModelChoiceField[Source]", form.base_fields["source"])
            field.queryset = sources.order_by("name", "pk")
        return form

    def _sees_source(self, request: HttpRequest, subscription: Subscription) -> bool:
        return find_sources(get_actor(request)).includes(subscription.source_id)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        own = {"address": getattr(request.user, "email", ""), "language": get_language() or ""}
        return own | super().get_changeform_initial_data(request)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        title = {} if object_id else {"title": _("Tell me")}
        answer: HttpResponse = redirect(request.path)  # where it is refused
        with show_refusals(request, missing=SubscriptionNotFound):
            answer = super().changeform_view(
                request, object_id, form_url, title | (extra_context or {})
            )
        return answer  # noqa: RET504 - not where the block has shown a refusal

    def save_model(self, request: HttpRequest, obj: Subscription, form: Any, change: bool) -> None:  # noqa: FBT001
        wish, actor = form.build_wish(), get_actor(request)
        if change:
            service.change_subscription(obj.pk, wish, actor=actor)
            return
        for_all = bool(form.cleaned_data.get("for_all"))
        created = service.subscribe(wish, actor=actor, for_all=for_all)
        vars(obj).update(vars(created))  # Django's page continues with this object

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001
        """Nothing: the verb has written its audit."""

    def delete_model(self, request: HttpRequest, obj: Subscription) -> None:
        service.unsubscribe(obj.pk, actor=get_actor(request))

    # --- a test --------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        test = self.admin_site.admin_view(require_POST(self.test_view))
        return [
            path("<int:object_id>/test/", test, name="retry_subscription_test"),
            *super().get_urls(),
        ]

    def test_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        with show_refusals(request, missing=SubscriptionNotFound):
            sent = service.send_test_notice(object_id, actor=get_actor(request))
            words = _("A test is on its way to {target}. “Notices” says when it is sent.")
            add_messages(request, Message(PENDING, words.format(target=sent.target)))
        return redirect("admin:retry_subscription_change", object_id)

    def message_user(self, request: HttpRequest, message: Any, *args: Any, **kwargs: Any) -> None:
        """Say what follows, in place of Django's sentence about a saved object."""
        level = args[0] if args else kwargs.get("level", messages.INFO)
        if level == messages.SUCCESS and "delete" not in request.path:
            message = _("Saved. From now on you get notices like this.")
        super().message_user(request, message, *args, **kwargs)
