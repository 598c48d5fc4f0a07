"""What one account may grant to another: only what it holds itself, and sees itself."""

from typing import TYPE_CHECKING

from django.contrib.auth.models import Group, Permission
from django.db.models import Q, QuerySet

from entries.models import Source, find_sources

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
    """Whether ``user`` holds a permission that ``holder`` lacks, or sees more sources."""
    if holder.is_superuser:
        return False
    if user.groups.filter(pk__in=_find_hidden_groups(holder)).exists():
        return True
    missing = list_permissions(user).exclude(pk__in=list_permissions(holder))
    return user.is_superuser or missing.exists()


def group_exceeds(group: Group, *, holder: "User") -> bool:
    """Whether the group grants a permission that ``holder`` lacks, or opens a hidden source."""
    if holder.is_superuser:
        return False
    if _find_hidden_groups(holder).filter(pk=group.pk).exists():
        return True
    return group.permissions.exclude(pk__in=list_permissions(holder)).exists()


def list_grantable_groups(holder: "User") -> QuerySet[Group]:
    """The groups that grant nothing ``holder`` lacks, and open no hidden source."""
    if holder.is_superuser:
        return Group.objects.all()
    missing = Permission.objects.exclude(pk__in=list_permissions(holder))
    exceeding = Group.objects.filter(permissions__in=missing)
    return Group.objects.exclude(pk__in=exceeding.values("pk")).exclude(
        pk__in=_find_hidden_groups(holder).values("pk")
    )


def _find_hidden_groups(holder: "User") -> QuerySet[Group]:
    """The groups of sources that ``holder`` does not see."""
    scope = find_sources(holder)
    if scope.everything:
        return Group.objects.none()
    links = Source.groups.through.objects.exclude(source__in=scope.source_ids)
    return Group.objects.filter(pk__in=links.values("group"))
