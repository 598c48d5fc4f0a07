"""A notice as a mail and as the body of a webhook. What is sent is English and plain text."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage

from retry.models import Notice, NoticeDelivery
from retry.notices.paths import SUBSCRIPTIONS, make_absolute

#: Members of the details that only decide who gets it.
_INTERNAL = {"acted_by", "requested_by_id"}


def build_mail(delivery: NoticeDelivery) -> EmailMessage:
    """Build the mail of a delivery, the same for each attempt at it."""
    notice = delivery.notice
    foot = f"-- \nChange which notices you get: {make_absolute(SUBSCRIPTIONS)}"
    parts = (notice.text, make_absolute(notice.path), foot)
    return EmailMessage(
        subject=f"[Redrive] {' '.join(notice.subject.split())}",
        body="\n\n".join(part for part in parts if part) + "\n",
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[delivery.target],
        headers={
            # Receivers recognise a mail that was sent twice by it.
            "Message-ID": f"<notice-{notice.pk}-{delivery.pk}@{_find_domain()}>",
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
        },
    )


def build_body(notice: Notice) -> Mapping[str, Any]:
    """Build the body of a webhook: ``text`` is what chats show, the rest is for programs."""
    link = make_absolute(notice.path)
    lines = [f"*{_escape(notice.subject)}*", _escape(notice.text), link]
    return {
        "text": "\n".join(line for line in lines if line),
        "event": notice.event,
        "notice": notice.pk,
        "subject": notice.subject,
        "link": link,
        "recorded_at": notice.recorded_at.isoformat(),
        "details": {k: v for k, v in notice.details.items() if k not in _INTERNAL},
    }


def _escape(text: str) -> str:
    """Escape what chats read as links and as calls to all in the channel."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _find_domain() -> str:
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ")
    return domain or "localhost"
