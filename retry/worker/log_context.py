"""What the log lines of a run name, beside what they say."""

from retry.models import Run


def name_run(run: Run) -> dict[str, str]:
    """Return the run, and what it was started by: a request, or an operation, which has its own."""
    found = {"run_id": str(run.id)}
    if run.operation_id is not None:
        found["operation_id"] = str(run.operation_id)
    if run.request_id:
        found["request_id"] = run.request_id
    return found
