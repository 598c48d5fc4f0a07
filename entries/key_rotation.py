"""After a change of keys: every secret in the database is encrypted again."""

from django.db import transaction

from entries.encryption import is_unreadable
from entries.models import Endpoint


def encrypt_secrets() -> tuple[int, list[str]]:
    """Encrypt all secrets with the first key.

    Returns of how many endpoints they could be read, and the slugs of the others, which are left as
    they are.
    """
    unreadable = []
    with transaction.atomic():
        endpoints = list(Endpoint.objects.select_for_update())
        for endpoint in endpoints:
            # Each value is encrypted when it is written.
            endpoint.save(update_fields=["secret", "previous_secret"])
            if is_unreadable(endpoint.secret):
                unreadable.append(endpoint.slug)
    return len(endpoints) - len(unreadable), unreadable
