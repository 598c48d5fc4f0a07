"""What one account may grant to another: only what it holds itself."""

from typing import TYPE_CHECKING

from django.contrib.auth.models import Group, Permission
from django.db.models import Q, QuerySet

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def list_permissions(user: "User") -> QuerySet[Permission]:
    """The permissions of a user, directly or by groups.

    Inactive accounts hold theirs as well: an account that can be edited can be activated.
    """
    if user.is_superuser:
        return Permission.objects.all()
    return Permission.objects.filter(Q(user=user) | Q(group__user=user)).distinct()


def exceeds(user: "User", *, holder: "User") -> bool:
    """Whether ``user`` holds a permission that ``holder`` lacks."""
    if holder.is_superuser:
        return False
    missing = list_permissions(user).exclude(pk__in=list_permissions(holder))
    return user.is_superuser or missing.exists()


def group_exceeds(group: Group, *, holder: "User") -> bool:
    """Whether the group grants a permission that ``holder`` lacks."""
    if holder.is_superuser:
        return False
    return group.permissions.exclude(pk__in=list_permissions(holder)).exists()


def list_grantable_groups(holder: "User") -> QuerySet[Group]:
    """The groups that grant nothing ``holder`` lacks."""
    if holder.is_superuser:
        return Group.objects.all()
    missing = Permission.objects.exclude(pk__in=list_permissions(holder))
    return Group.objects.exclude(pk__in=Group.objects.filter(permissions__in=missing).values("pk"))
