"""Notices: what happened, who wants to know, and what was sent."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from entries.models import Endpoint, Entry, Source


class NoticeEvent(models.TextChoices):
    """What a notice is about."""

    OUTAGE_BEGAN = "outage_began", _("An outage began: many more failures than usual")
    OUTAGE_OVER = "outage_over", _("An outage is over")
    GROUP_NEW = "group_new", _("An error that was not known before")
    GROUP_REGRESSED = "group_regressed", _("An error came back after it was resolved")
    BREAKER_TRIPPED = "breaker_tripped", _("The breaker put something on hold")
    OPERATION_FINISHED = "operation_finished", _("An operation has finished or was cancelled")
    OPERATION_PAUSED = "operation_paused", _("An operation was paused")
    OPERATION_AWAITING = "operation_awaiting", _("An operation awaits approval")
    SOURCE_FAILING = "source_failing", _("A source cannot be synced any more")
    DISPATCHER_SILENT = "dispatcher_silent", _("The dispatcher is silent, so nothing new starts")
    #: Only for one subscription: a test, and that an hour had more notices than are sent.
    TEST = "test", _("A test")
    MORE = "more", _("More happened than is sent")


class NoticeChannel(models.TextChoices):
    MAIL = "mail", _("mail")
    WEBHOOK = "webhook", _("webhook")


class Subscription(models.Model):
    """Who gets notices of what, and how; without an owner it is for all."""

    id = models.BigAutoField(primary_key=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+"
    )
    events = ArrayField(models.CharField(max_length=30))
    everyones = models.BooleanField(
        default=False, help_text=_("also operations that others asked for")
    )
    channel = models.CharField(max_length=10, choices=NoticeChannel)
    address = models.EmailField(max_length=254, blank=True)
    endpoint = models.ForeignKey(Endpoint, null=True, on_delete=models.CASCADE, related_name="+")
    source = models.ForeignKey(
        Source,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text=_("only what is about this source; empty: all"),
    )
    language = models.CharField(
        max_length=10,
        blank=True,
        default="",
        db_default="",
        help_text=_("of its mails; empty: the project's"),
    )
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()
        permissions: ClassVar = [("subscribe_all", gettext_noop("Can subscribe for all"))]
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(channel="mail", endpoint__isnull=True) & ~Q(address="")
                | Q(channel="webhook", endpoint__isnull=False, address=""),
                name="subscription_one_target",
            ),
        ]

    def __str__(self) -> str:
        return self.target

    @property
    def target(self) -> str:
        """The address or the slug of the endpoint."""
        return self.endpoint.slug if self.endpoint else self.address


class Outage(models.Model):
    """A time with many more failures than usual; at most one is open."""

    id = models.BigAutoField(primary_key=True)
    began_at = models.DateTimeField(help_text=_("the first minute with many failures"))
    opened_at = models.DateTimeField(db_default=Now(), help_text=_("when it was recognised"))
    over_at = models.DateTimeField(null=True)
    #: True, or NULL once it is over: NULLs are distinct.
    is_open = models.BooleanField(null=True, default=True, unique=True)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(is_open=True, over_at__isnull=True)
                | Q(is_open__isnull=True, over_at__isnull=False),
                name="outage_open_or_over",
            ),
        ]

    def __str__(self) -> str:
        return f"outage since {self.began_at:%Y-%m-%d %H:%M}"


class Notice(models.Model):
    """Something that happened, once, however many record it. It is sent once ``tell_at`` has come.

    ``details`` are for receivers and for the rights of those who get it. ``outage``: the one
    that it is a part of. ``words``: what subject and text were made from, to translate them.
    """

    id = models.BigAutoField(primary_key=True)
    event = models.CharField(max_length=30, choices=NoticeEvent)
    key = models.CharField(max_length=100)
    subject = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    words = models.JSONField(null=True, help_text=_("subject and text, to be translated"))
    path = models.CharField(max_length=500, blank=True, help_text=_("of the page to look at"))
    details = models.JSONField(default=dict)
    recorded_at = models.DateTimeField(db_default=Now())
    tell_at = models.DateTimeField(db_default=Now())
    told_at = models.DateTimeField(null=True)
    outage = models.ForeignKey(Outage, null=True, on_delete=models.SET_NULL, related_name="notices")

    class Meta:
        default_permissions: ClassVar = ("view",)
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event", "key"], name="notice_once"),
            models.CheckConstraint(
                condition=Q(event__in=NoticeEvent.values), name="notice_event_known"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["tell_at"], name="notice_due", condition=Q(told_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return self.subject


class Withheld(models.TextChoices):
    """Why a notice is not sent to one of those who want to know."""

    OUTAGE = "outage", _("part of an outage")
    TOO_MANY = "too_many", _("too many in an hour")


class NoticeDelivery(models.Model):
    """One notice for one subscription: the entry that delivers it, or why there is none."""

    id = models.BigAutoField(primary_key=True)
    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="deliveries")
    subscription = models.ForeignKey(
        Subscription, null=True, on_delete=models.SET_NULL, related_name="deliveries"
    )
    #: Kept when the subscription is gone.
    channel = models.CharField(max_length=10, choices=NoticeChannel)
    target = models.CharField(max_length=254)
    # Without a constraint: retention deletes both together.
    entry = models.ForeignKey(
        Entry,
        null=True,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    withheld = models.CharField(max_length=10, choices=Withheld, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["notice", "subscription"], name="delivery_once_a_subscription"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["subscription", "-created_at"], name="delivery_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} to {self.target}"
