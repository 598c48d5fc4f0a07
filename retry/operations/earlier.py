"""Entries of an earlier operation, as subqueries that give their ids."""

from uuid import UUID

from django.db.models.expressions import RawSQL


def find_failed_ids(operation_id: UUID) -> RawSQL:
    """Select the ids whose attempt in that operation failed, as a subquery."""
    return RawSQL(
        "SELECT a.entry_id FROM retry_run r"
        " CROSS JOIN unnest(r.entry_ids) AS u (id)"
        " JOIN entries_attempt a ON a.entry_id = u.id AND a.run_id = r.id"
        " WHERE r.operation_id = %s AND r.failed + r.scheduled > 0 AND a.status = 'failed'",
        [operation_id],
    )


def find_repaired_ids(operation_id: UUID) -> RawSQL:
    """Select the ids whose payload that operation changed, as a subquery."""
    return RawSQL(
        "SELECT d.entry_id FROM retry_run r"
        " CROSS JOIN unnest(r.entry_ids) AS u (id)"
        " JOIN entries_attempt a ON a.entry_id = u.id AND a.run_id = r.id"
        " JOIN entries_edit d ON d.entry_id = a.entry_id AND d.attempt = a.number"
        " WHERE r.operation_id = %s",
        [operation_id],
    )
