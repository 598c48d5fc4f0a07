"""Which request an attempt goes back to: that of its run, or of the run's operation."""

from django.db.models import CharField, F, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, NullIf

from entries.models import Attempt
from retry.models import Run


def find_request_id(run: Run) -> str:
    """Return the same of a run, read with its operation."""
    return run.request_id or (run.operation.request_id if run.operation else "")


def with_request_ids(attempts: QuerySet[Attempt]) -> QuerySet[Attempt]:
    """Read the attempts with a ``request_id``, empty where no request has caused them."""
    own = NullIf(F("request_id"), Value(""))
    found = Coalesce(own, F("operation__request_id"), Value(""), output_field=CharField())
    run = Run.objects.filter(pk=OuterRef("run_id")).annotate(found=found)
    request_id = Coalesce(Subquery(run.values("found")), Value(""), output_field=CharField())
    return attempts.annotate(request_id=request_id)
