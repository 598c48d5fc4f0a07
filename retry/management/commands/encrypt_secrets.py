"""``manage.py encrypt_secrets``: encrypt the secrets of endpoints with the first key."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from entries.encryption import is_unreadable
from entries.models import Endpoint


class Command(BaseCommand):
    help = (
        "Encrypt the secrets of all endpoints with the first of REDRIVE_ENCRYPTION_KEYS (or with "
        "SECRET_KEY): after an upgrade from a version that stored them as text, and after a new "
        "key was put in front. Then the old key can go. It can be repeated at any time."
    )

    def handle(self, *_: Any, **__: Any) -> None:
        unreadable = []
        with transaction.atomic():
            endpoints = list(Endpoint.objects.select_for_update())
            for endpoint in endpoints:
                # Written anew, each value is encrypted anew.
                endpoint.save(update_fields=["secret", "previous_secret"])
                if is_unreadable(endpoint.secret):
                    unreadable.append(endpoint.slug)
        self.stdout.write(f"Encrypted: {len(endpoints) - len(unreadable)}")
        if unreadable:
            raise CommandError(
                f"No key fits the secrets of: {', '.join(unreadable)}. Put the key that encrypted "
                "them into REDRIVE_ENCRYPTION_KEYS, or give these endpoints new secrets."
            )
