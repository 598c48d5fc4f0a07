"""Secrets in the database: which are not encrypted, and all of them encrypted again."""

from django.db import transaction
from django.db.models import Q, TextField
from django.db.models.functions import Cast

from entries.encryption import PREFIX, is_unreadable
from entries.models import Endpoint


def find_plain_secrets() -> list[str]:
    """Return the slugs of endpoints with a secret that is stored as text."""
    stored = Endpoint.objects.annotate(  # as text, which nothing decrypts
        new=Cast("secret", TextField()), old=Cast("previous_secret", TextField())
    )
    plain = Q()
    for name in ("new", "old"):
        plain |= ~Q(**{name: ""}) & ~Q(**{f"{name}__startswith": PREFIX})
    return list(stored.filter(plain).order_by("slug").values_list("slug", flat=True))


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
