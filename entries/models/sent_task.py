"""Tasks that were sent to another installation for an entry."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from entries.models.entry import Entry
from entries.states import SentState


class SentTask(models.Model):
    """The last task that was sent to another Celery installation for an entry.

    It is written before the task is sent: who finds it there does not send another one for the
    same click. ``cycle``: the time of the click, in microseconds.
    """

    entry = models.OneToOneField(
        Entry, on_delete=models.CASCADE, primary_key=True, related_name="sent_task"
    )
    task_id = models.CharField(max_length=36)
    cycle = models.BigIntegerField()
    state = models.CharField(max_length=8)
    intended_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in SentState]),
                name="sent_task_state_known",
            )
        ]

    def __str__(self) -> str:
        return f"task {self.task_id} for entry {self.entry_id}"
