"""A worker's way through one dry run or import."""

import logging
from collections.abc import Callable
from uuid import UUID

from django.db import DatabaseError, InterfaceError

from entries.errors import EntriesError, SourceError
from entries.request_ids import bound_id
from retry.access.permissions import SUBMIT_ENTRY
from retry.access.visibility import find_sources
from retry.errors import NotPermitted, RetryError, SourceNotFound
from retry.imports.control import forget_file, put_back
from retry.imports.steps import DryRunStep, StoreStep
from retry.intakes import rows
from retry.intakes.claims import Lost, Stopped, claim
from retry.models import Import
from retry.outcomes import Actor, Channel
from retry.sentences import FILE_REMOVED

logger = logging.getLogger(__name__)


def perform(import_id: UUID, *, stop: Callable[[], bool]) -> None:
    """Do a queued dry run or import, unless it cannot be claimed.

    ``stop`` is called between batches; once it returns True, another worker continues from there.
    """
    row = Import.objects.filter(pk=import_id).first()
    if row is None:
        return
    with bound_id(row.request_id), claim(row) as claimed:
        if not claimed:
            return
        try:
            _run(row, stop=stop)
        except Stopped:
            put_back(row)
            logger.info("import.put_back")
        except Lost:
            logger.warning("import.lost")
        except (DatabaseError, InterfaceError):
            # It cannot be noted now. Once the lock is free the dispatcher queues it again.
            raise
        except (EntriesError, RetryError) as error:
            code = getattr(error, "code", "refused")
            rows.fail(row, code=code, message=str(error))
            logger.warning("import.failed", extra={"code": code, "error": str(error)})
            if row.dry_run:
                forget_file(row.location)  # there is nothing to confirm
        except Exception as error:
            rows.fail_with(row, error)
            raise


def _run(row: Import, *, stop: Callable[[], bool]) -> None:
    actor = rows.read_actor(row)
    _check(actor, row)
    if not row.location:
        raise SourceError("not_found", FILE_REMOVED())
    step = DryRunStep if row.dry_run else StoreStep
    step(row, actor=actor, stop=stop).run()
    if not row.dry_run:
        forget_file(row.location)


def _check(actor: Actor, row: Import) -> None:
    """Refuse an actor who lost the permission or the source since the request, or whose account was
    deleted.
    """
    is_deleted = actor.user is None and actor.channel in {Channel.ADMIN, Channel.API}
    if is_deleted:
        raise NotPermitted(SUBMIT_ENTRY)
    actor.require(SUBMIT_ENTRY)
    if not find_sources(actor).includes(row.source_id):
        raise SourceNotFound(row.source.slug if row.source else "")
