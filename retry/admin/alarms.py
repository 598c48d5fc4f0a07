"""What is wrong with the engine right now, in words, for the top of every page.

Every page asks, so the answer is cheap: kept for a few seconds, without counting entries, and
when Redis does not answer, the next one to ask does not wait for it again.
"""

from collections.abc import Sequence

from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import get_text_list
from django.utils.timesince import timesince

from retry.admin import hold_words
from retry.status import Status, read

_KEY = "redrive.alarms"
_SECONDS = 3
_SECONDS_WITHOUT_REDIS = 8


def alarms_for(request: HttpRequest) -> Sequence[str]:
    """For staff who are logged in; the login page tells nobody anything."""
    user = getattr(request, "user", None)
    if user is None or not user.is_active or not user.is_staff:
        return ()
    known: Sequence[str] | None = cache.get(_KEY)
    if known is None:
        status = read(counting=False)
        known = of(status)
        cache.set(_KEY, known, _SECONDS if status.redis else _SECONDS_WITHOUT_REDIS)
    # Never kept: whoever has just lifted a hold must not read that it stands.
    return (*known, *hold_words.alarms(request))


def of(status: Status) -> Sequence[str]:
    found = []
    if not status.redis:
        found.append(
            "Redis cannot be reached. Retries are accepted and start by themselves when it is back."
        )
    if not status.dispatcher_alive:
        beat = status.heartbeat
        heard = (
            f"was last heard of {timesince(beat.beat_at, timezone.now(), depth=1)} ago"
            if beat
            else "has never been heard of"
        )
        found.append(
            f"The dispatcher {heard}: automatic retries and the rescue of lost work wait for it. "
            "Start it with manage.py dispatcher."
        )
    idle = status.idle_queues if status.redis else []  # without it nothing is known of workers
    if idle:
        found.append(
            f"No worker serves {get_text_list(idle, 'and')}: what is queued there waits. "
            f"Start one with manage.py worker {idle[0]}."
        )
    return tuple(found)
