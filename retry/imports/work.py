"""A worker's way through one dry run or import."""

import logging
from collections.abc import Callable
from uuid import UUID

from django.db import DatabaseError, InterfaceError

from entries.errors import EntriesError, SourceError
from entries.sources.sync.lock import attempted
from retry.access.permissions import SUBMIT_ENTRY
from retry.errors import NotPermitted, RetryError
from retry.imports.control import LOCK, forget_file, put_back
from retry.imports.passes import DryRun, Lost, Stopped, Storing
from retry.models import Import
from retry.outcomes import Actor, Channel
from retry.syncs import rows
from retry.syncs.work import note_failure

logger = logging.getLogger(__name__)


def perform(import_id: UUID, *, stop: Callable[[], bool]) -> None:
    """Do what is queued, unless it was done already or somebody is at it.

    ``stop`` is asked between batches; whoever goes on begins where this one stopped.
    """
    with attempted(import_id, what=LOCK) as alone:
        found = Import.objects.select_related("source", "actor").filter(pk=import_id).first()
        if found is None or not alone or not rows.claim(found):
            return
        try:
            _run(found, stop=stop)
        except Stopped:
            put_back(found)
            logger.info("import.put_back")
        except Lost:
            logger.warning("import.lost")
        except (DatabaseError, InterfaceError):
            # Nobody could note it now. Once the lock is free the dispatcher has it done again.
            raise
        except (EntriesError, RetryError) as error:
            code = getattr(error, "code", "refused")
            rows.fail(found, code=code, message=str(error))
            logger.warning("import.failed", extra={"code": code, "error": str(error)})
            if found.dry_run:
                forget_file(found.location)  # there is nothing to confirm
        except Exception as error:
            note_failure(found, error)
            raise


def _run(row: Import, *, stop: Callable[[], bool]) -> None:
    actor = rows.actor_of(row)
    _check(actor)
    if not row.location:
        raise SourceError("not_found", "the file is not kept any more; choose it again")
    pass_ = DryRun if row.dry_run else Storing
    pass_(row, actor=actor, stop=stop).run()
    if not row.dry_run:
        forget_file(row.location)


def _check(actor: Actor) -> None:
    """Whoever asked may have lost the permission since, or be no user any more."""
    is_nobody = actor.user is None and actor.channel in {Channel.ADMIN, Channel.API}
    if is_nobody:
        raise NotPermitted(SUBMIT_ENTRY)
    actor.require(SUBMIT_ENTRY)
