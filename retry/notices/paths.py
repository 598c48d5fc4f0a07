"""Addresses in notices. Dispatcher and workers load no pages, so these are written down here."""

from uuid import UUID

from django.conf import settings
from django.utils.http import urlencode

from entries.filters import EntryFilter

SUBSCRIPTIONS = "/admin/retry/subscription/"
NOTICES = "/admin/retry/notice/"
STATUS = "/admin/retry/status/"
HOLDS = "/admin/retry/hold/"


def find_operation_path(operation_id: UUID) -> str:
    return f"/admin/retry/operation/{operation_id}/change/"


def find_group_path(group_id: int) -> str:
    return f"/admin/retry/errorgroup/{group_id}/change/"


def find_source_path(source_id: int) -> str:
    return f"/admin/entries/source/{source_id}/change/"


def find_list_path(chosen: EntryFilter) -> str:
    return f"/admin/entries/entry/?{urlencode(chosen.parameters())}"


def make_absolute(path: str) -> str:
    """Return the address of a page as people outside open it.

    Without ``REDRIVE_SITE_URL`` it is guessed from ``ALLOWED_HOSTS``.
    """
    site = settings.REDRIVE_SITE_URL.rstrip("/")
    if not site:
        host = next((name for name in settings.ALLOWED_HOSTS if name.strip("*.")), "localhost")
        secure = settings.SECURE_SSL_REDIRECT
        site = f"{'https' if secure else 'http'}://{host.lstrip('.')}"
    return f"{site}{path}"
