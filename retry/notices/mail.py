"""The kind ``mail``: sends a notice with Django's e-mail backend."""

import smtplib
from collections.abc import Mapping
from typing import Any, ClassVar

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import InterfaceError, InternalError, OperationalError
from django.utils.translation import gettext_noop

from entries.database.release import release_connection
from entries.errors import PermanentError, TransientError
from entries.kinds.base import AttemptData, Breaker, EntryData, Kind, RetryPolicy
from entries.kinds.registry import register
from retry.models import NoticeDelivery
from retry.notices.content import build_mail
from retry.notices.rights import may_be_told


@register
class MailKind(Kind):
    """Payload: the id of a delivery, so that no user can send mails of their own with it.

    What the mail says and whether its receiver may know is read as it is when it is sent. A mail
    may be sent again where a worker dies: it has the same Message-ID then.
    """

    name: ClassVar[str] = "mail"
    description: ClassVar[str] = gettext_noop("Sends a notice of the desk as a mail.")
    time_limit: ClassVar[float] = settings.REDRIVE_MAIL_TIME_LIMIT
    #: A server that does not answer holds up no other mail.
    concurrency: ClassVar[int] = 8
    run_size: ClassVar[int] = 50
    breaker: ClassVar[Breaker] = Breaker(window=8, share=1.0)
    retry_policy: ClassVar[RetryPolicy] = RetryPolicy(limit=8, first_delay=15.0)

    def process(self, entry: EntryData, attempt: AttemptData) -> Mapping[str, Any]:
        delivery = _find_delivery(entry)
        try:
            why = _find_objection(delivery)
            mail = build_mail(delivery)
        finally:
            release_connection()  # mails take seconds
        # As the row has it: a result is English in every language of the mail.
        result: dict[str, Any] = {"to": delivery.target, "subject": delivery.notice.subject}
        if why:
            return result | {"sent": False, "why": why}
        _send(mail, seconds=self.time_limit / 2)
        return result | {"sent": True, "message_id": mail.extra_headers["Message-ID"]}

    def problems_with(self, payload: Mapping[str, Any]) -> list[str]:
        known = isinstance(payload.get("delivery"), int)
        return [] if known else ['"delivery" must be the number of a delivery of a notice']


def _find_delivery(entry: EntryData) -> NoticeDelivery:
    pk = entry.payload.get("delivery")
    found = NoticeDelivery.objects.select_related("notice", "subscription__owner")
    try:
        delivery = found.filter(pk=pk).first() if isinstance(pk, int) and pk < 2**63 else None
    except (InterfaceError, InternalError, OperationalError) as error:
        raise TransientError("the notice could not be read: PostgreSQL is away") from error
    if delivery is None:
        raise PermanentError("there is no such delivery of a notice")
    return delivery


def _find_objection(delivery: NoticeDelivery) -> str:
    """Return why it must not be sent any more; empty where it may."""
    subscription = delivery.subscription
    if subscription is None or not subscription.active:
        return "the subscription has ended"
    if subscription.target != delivery.target:
        return "the subscription has another address now"
    if not may_be_told(subscription, delivery.notice):
        return "its receiver may not see this any more"
    return ""


def _send(mail: EmailMessage, *, seconds: float) -> None:
    """Send a mail. Raises ``TransientError`` and ``PermanentError``."""
    timeout = settings.EMAIL_TIMEOUT or seconds
    try:
        with get_connection(timeout=min(timeout, seconds)) as server:
            mail.connection = server
            mail.send()
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        refused = PermanentError if all(code >= 500 for code in codes) else TransientError
        raise refused(f"the mail server refuses the address: SMTP {codes[0]}") from error
    except smtplib.SMTPResponseException as error:
        refused = PermanentError if error.smtp_code >= 500 else TransientError
        raise refused(f"the mail server refuses the mail: SMTP {error.smtp_code}") from error
    except (smtplib.SMTPNotSupportedError, ValueError) as error:
        raise PermanentError(f"the mail cannot be sent: {error}") from error
    except (smtplib.SMTPException, OSError) as error:
        raise TransientError(f"the mail server cannot be reached: {error}") from error
