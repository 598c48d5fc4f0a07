from uuid import UUID

from django.db import migrations, models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce

from entries.index_builds import BuildIndex


class Migration(migrations.Migration):
    """By these a step of a large operation costs what it does, and not what the operation is. They
    are built while everything works; if it was interrupted, repeat it.
    """

    atomic = False
    dependencies = [("retry", "0023_languages_and_passes")]

    operations = [
        BuildIndex(
            "run",
            models.Index(
                fields=["operation", "state", "position"],
                name="run_open",
                condition=Q(operation__isnull=False, state__in=["planned", "queued", "running"]),
            ),
        ),
        BuildIndex(
            "run",
            models.Index(
                fields=["operation", "started_at"],
                name="run_begun",
                condition=Q(operation__isnull=False, started_at__isnull=False),
            ),
        ),
        BuildIndex(
            "run",
            models.Index(
                Coalesce("operation_id", Value(UUID(int=0), output_field=models.UUIDField())),
                F("kind"),
                F("upstream"),
                Coalesce("source_id", Value(0, output_field=models.BigIntegerField())),
                F("probe"),
                F("created_at"),
                F("position"),
                name="run_unsent",
                condition=Q(state="queued", dispatched_at__isnull=True),
            ),
        ),
        BuildIndex(
            "run",
            models.Index(
                fields=["kind", "upstream"],
                name="run_upstream",
                condition=Q(state="queued") & ~Q(upstream=""),
            ),
        ),
        BuildIndex(
            "run",
            models.Index(
                fields=["id"], name="run_upstreams", condition=Q(state="queued") & ~Q(upstream="")
            ),
        ),
        BuildIndex(
            "run", models.Index(fields=["operation"], name="run_canary", condition=Q(canary=True))
        ),
    ]
