"""What edits changed in entries."""

from typing import ClassVar

from django.db import models

from entries.models.entry import Entry


class Edit(models.Model):
    """The content of an entry before and after an edit that was made to try it again.

    ``attempt``: the number of the attempt that followed, which ran what is here as ``after``.
    """

    id = models.BigAutoField(primary_key=True)
    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="edits", db_index=False)
    attempt = models.PositiveIntegerField()
    title_before = models.CharField(max_length=500, blank=True)
    title_after = models.CharField(max_length=500, blank=True)
    payload_before = models.JSONField()
    payload_after = models.JSONField()
    hash_before = models.CharField(max_length=64, blank=True)
    hash_after = models.CharField(max_length=64)
    upstream_before = models.CharField(max_length=200, blank=True)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["entry", "attempt"], name="edit_entry_attempt")
        ]

    def __str__(self) -> str:
        return f"edit before attempt {self.attempt} at entry {self.entry_id}"
