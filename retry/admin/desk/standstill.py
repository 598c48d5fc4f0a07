"""Whether outcomes wait to be counted, which only a dispatcher does."""

from dataclasses import dataclass
from datetime import datetime

from retry.admin.desk.alarms import read_engine
from retry.models import OutcomeFlush
from retry.outcome_history.scope import Scope


@dataclass(frozen=True, slots=True)
class Standstill:
    """Outcomes since the dispatcher's last sign of life are in no count; None: it never ran."""

    since: datetime | None


def find_standstill(*, scope: Scope) -> Standstill | None:
    """Return since when nothing is counted, where no dispatcher runs and something should be."""
    engine = read_engine()
    if engine.dispatcher_alive:
        return None
    waiting = OutcomeFlush.objects.filter(scope.condition("source_id"))
    if scope.is_empty or not waiting.exists():
        return None
    return Standstill(engine.heartbeat.beat_at if engine.heartbeat else None)
