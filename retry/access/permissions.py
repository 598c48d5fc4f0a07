"""Who holds more than somebody else: nobody hands out, or takes over, what they do not hold."""

from typing import TYPE_CHECKING

from django.contrib.auth.models import Group, Permission
from django.db.models import Q, QuerySet

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def held_by(user: "User") -> QuerySet[Permission]:
    """What a user holds, directly or by groups. Inactive or not: whoever may edit an account may
    make it active, too.
    """
    if user.is_superuser:
        return Permission.objects.all()
    return Permission.objects.filter(Q(user=user) | Q(group__user=user)).distinct()


def exceeds(user: "User", *, holder: "User") -> bool:
    """Whether ``user`` may do anything that ``holder`` may not."""
    if holder.is_superuser:
        return False
    return user.is_superuser or held_by(user).exclude(pk__in=held_by(holder)).exists()


def group_exceeds(group: Group, *, holder: "User") -> bool:
    """Whether the group gives anything that ``holder`` does not hold."""
    if holder.is_superuser:
        return False
    return group.permissions.exclude(pk__in=held_by(holder)).exists()


def grantable_groups(holder: "User") -> QuerySet[Group]:
    """Groups that give nothing which ``holder`` does not hold."""
    if holder.is_superuser:
        return Group.objects.all()
    beyond = Permission.objects.exclude(pk__in=held_by(holder))
    return Group.objects.exclude(pk__in=Group.objects.filter(permissions__in=beyond).values("pk"))
