"""A notice as a mail, in the language of its subscription, and as the body of a webhook.

Both are plain text. Webhooks are English, because programs read them and many people one of them.
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils.translation import override

from entries.phrases import phrase
from retry.models import Notice, NoticeDelivery
from retry.notices.paths import SUBSCRIPTIONS, make_absolute
from retry.notices.words import show_subject, show_text

#: Members of the details that only decide who gets it.
_INTERNAL = {"acted_by", "requested_by_id"}


def build_mail(delivery: NoticeDelivery) -> EmailMessage:
    """Build the mail of a delivery, the same for each attempt at it."""
    notice, subscription = delivery.notice, delivery.subscription
    language = (subscription.language if subscription else "") or settings.LANGUAGE_CODE
    with override(language):
        subject, text = show_subject(notice), show_text(notice)
        change = phrase("Change which notices you get: %(link)s", link=make_absolute(SUBSCRIPTIONS))
        parts = (text, make_absolute(notice.path), f"-- \n{change.show()}")
    return EmailMessage(
        subject=f"[Redrive] {' '.join(subject.split())}",
        body="\n\n".join(part for part in parts if part) + "\n",
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[delivery.target],
        headers={
            # Receivers recognise a mail that was sent twice by it.
            "Message-ID": f"<notice-{notice.pk}-{delivery.pk}@{_find_domain()}>",
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
            "Content-Language": language,
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
