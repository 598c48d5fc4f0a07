"""Whether a user may know what a notice says: asked when it is sent, not when they subscribed."""

from collections.abc import Mapping

from retry.access.payloads import chooses_by_payload
from retry.access.permissions import (
    APPROVE_OPERATION,
    VIEW_ENTRY,
    VIEW_ERROR_GROUP,
    VIEW_HOLD,
    VIEW_OPERATION,
    VIEW_PAYLOAD,
    VIEW_SOURCE,
    VIEW_STATUS,
)
from retry.access.records import sees_whole_operation, visible_holds
from retry.access.visibility import sees_everything, sees_nothing, sees_source, sees_whole_group
from retry.models import Notice, NoticeEvent, Operation, Subscription
from retry.outcomes import Actor, Channel

#: The page that shows the same needs the same.
NEEDS: Mapping[str, str] = {
    NoticeEvent.OUTAGE_BEGAN: VIEW_ENTRY,
    NoticeEvent.OUTAGE_OVER: VIEW_ENTRY,
    NoticeEvent.GROUP_NEW: VIEW_ERROR_GROUP,
    NoticeEvent.GROUP_REGRESSED: VIEW_ERROR_GROUP,
    NoticeEvent.BREAKER_TRIPPED: VIEW_HOLD,
    NoticeEvent.OPERATION_FINISHED: VIEW_OPERATION,
    NoticeEvent.OPERATION_PAUSED: VIEW_OPERATION,
    NoticeEvent.OPERATION_AWAITING: APPROVE_OPERATION,
    NoticeEvent.SOURCE_FAILING: VIEW_SOURCE,
    NoticeEvent.DISPATCHER_SILENT: VIEW_STATUS,
    NoticeEvent.TEST: VIEW_ENTRY,
    NoticeEvent.MORE: VIEW_ENTRY,
}
_OWN = {NoticeEvent.OPERATION_FINISHED, NoticeEvent.OPERATION_PAUSED}


def may_be_told(subscription: Subscription, notice: Notice) -> bool:
    """Return whether a notice may be sent for a subscription, by the rights as they are now.

    A subscription for all was made by a user who may see everything.
    """
    user = subscription.owner
    if user is None:
        return True
    actor = Actor.from_user(user, channel=Channel.SYSTEM)
    if not (user.is_active and user.is_staff and actor.may(NEEDS[notice.event])):
        return False
    return _concerns(subscription, notice) and _sees(notice, actor=actor)


def _concerns(subscription: Subscription, notice: Notice) -> bool:
    """Whether it is news for them: no notice of what they did, nor to approve their own."""
    details, owner = notice.details, subscription.owner_id
    if details.get("acted_by") == owner:
        return False
    own = details.get("requested_by_id") == owner
    if notice.event == NoticeEvent.OPERATION_AWAITING:
        return not own
    return own or subscription.everyones or notice.event not in _OWN


def _sees(notice: Notice, *, actor: Actor) -> bool:
    """Whether nothing of what the notice says, numbers included, is hidden from the actor."""
    details = notice.details
    match notice.event:
        case NoticeEvent.OUTAGE_BEGAN | NoticeEvent.OUTAGE_OVER:
            # Its counts are those of all entries.
            return sees_everything(actor)
        case NoticeEvent.GROUP_NEW | NoticeEvent.GROUP_REGRESSED:
            return sees_whole_group(details.get("fingerprint", ""), actor=actor)
        case NoticeEvent.SOURCE_FAILING:
            return sees_source(details.get("source_id", 0), actor=actor)
        case NoticeEvent.BREAKER_TRIPPED:
            return visible_holds(actor).filter(pk=details.get("hold")).exists()
        case _ if "operation" in details:
            operation = Operation.objects.filter(pk=details["operation"]).first()
            return operation is not None and _sees_operation(operation, actor=actor)
    return not sees_nothing(actor)


def _sees_operation(operation: Operation, *, actor: Actor) -> bool:
    if not sees_whole_operation(operation, actor=actor) or sees_nothing(actor):
        return False
    return actor.may(VIEW_PAYLOAD) or not chooses_by_payload(operation.selection)
