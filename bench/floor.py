"""The floor of a single retry: the same authenticated view with the least that could work.

One ``UPDATE`` and one unique enqueue by hand, without attempt, run, audit, reasons or a later
hand-over.
"""

from uuid import uuid4

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from retry import queue
from retry.access.permissions import RETRY_ENTRY
from retry.api.entries.schemas import RetryRequest, RetryResponse
from retry.api.http.links import build_run_address
from retry.api.http.problems import Problem
from retry.api.http.resource import answer, api_view, parse_body
from retry.outcomes import Actor


def _retry(request: HttpRequest, actor: Actor) -> HttpResponse:
    body = parse_body(request, RetryRequest)
    if not actor.may(RETRY_ENTRY):
        raise Problem(403, "permission_denied")
    run_id = uuid4()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE entries_entry SET status = 'queued', attempt = attempt + 1, run_id = %s"
            " WHERE id = %s AND status = 'failed' RETURNING attempt",
            [run_id, body.entry_id],
        )
        (attempt,) = cursor.fetchone()
    job_id = f"entry-{body.entry_id}-{attempt}-{run_id.hex[:8]}"
    queue.hand_over(
        queue.JobSpec(job_id=job_id, queue="default", argument=str(run_id), timeout=120)
    )
    return answer(
        RetryResponse.model_validate(
            {
                "entry_id": body.entry_id,
                "attempt": attempt,
                "run_id": run_id,
                "job_id": job_id,
                "status": "queued",
                "dispatched": True,
                "progress_url": build_run_address(run_id),
            }
        ),
        status=202,
    )


urlpatterns = [path("bench/floor", api_view(post=_retry)), path("", include("config.urls"))]
