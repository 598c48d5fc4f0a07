"""``manage.py encrypt_secrets``: encrypt the secrets of endpoints with the first key."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from entries.key_rotation import encrypt_secrets


class Command(BaseCommand):
    help = (
        "Encrypt the secrets of all endpoints with the first of REDRIVE_ENCRYPTION_KEYS (or with "
        "SECRET_KEY): after an upgrade from a version that stored them as text, and after a new "
        "key was put in front. Then the old key can go. It can be repeated at any time."
    )

    def handle(self, *_: Any, **__: Any) -> None:
        done, unreadable = encrypt_secrets()
        self.stdout.write(f"Encrypted: {done}")
        if unreadable:
            raise CommandError(
                f"No key fits the secrets of: {', '.join(unreadable)}. Put the key that encrypted "
                "them into REDRIVE_ENCRYPTION_KEYS, or give these endpoints new secrets."
            )
