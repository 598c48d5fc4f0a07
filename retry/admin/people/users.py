"""Users and groups: no user can grant, or take over, more than they hold themselves."""

from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.db import transaction
from django.db.models import ManyToManyField, QuerySet
from django.forms import ModelMultipleChoiceField
from django.http import HttpRequest, HttpResponse

from entries.admin.lists import ListAdmin
from retry import edits, service
from retry.access import grants
from retry.access.permission_names import describe_permission
from retry.access.visibility import visible_sources
from retry.admin.shared.actor import get_actor
from retry.admin.shared.audited import AuditedAdmin

if TYPE_CHECKING:
    _UserAdmin = UserAdmin[User]
else:
    _UserAdmin = UserAdmin


def _get_holder(request: HttpRequest) -> User:
    return cast("User", request.user)


def _limit_choices(field: Any, request: HttpRequest, options: dict[str, Any]) -> None:
    """Limit the choices to what the user holds; a forged form cannot choose more."""
    holder = _get_holder(request)
    if field.name in {"permissions", "user_permissions"}:
        options["queryset"] = grants.list_permissions(holder)
    elif field.name == "groups":
        options["queryset"] = grants.list_grantable_groups(holder)


def _name_choices(field: Any) -> Any:
    """Offer permissions under their names in the language of the page."""
    if isinstance(field, ModelMultipleChoiceField) and field.queryset is not None:
        vars(field)["label_from_instance"] = (
            describe_permission if field.queryset.model is Permission else str
        )
    return field


class AuditedUserAdmin(AuditedAdmin, ListAdmin[User], _UserAdmin):
    sortable_by: ClassVar = ("username",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse accounts that hold more, including their password and permissions."""
        within = obj is None or not grants.exceeds(obj, holder=_get_holder(request))
        return within and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        within = obj is None or not grants.exceeds(obj, holder=_get_holder(request))
        return within and super().has_delete_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        found = super().get_readonly_fields(request, obj)
        # These are facts, not fields to fill in.
        found = (*found, "last_login", "date_joined")
        return found if _get_holder(request).is_superuser else (*found, "is_superuser")

    def formfield_for_manytomany(
        self, db_field: "ManyToManyField[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> Any:
        _limit_choices(db_field, request, kwargs)
        return _name_choices(super().formfield_for_manytomany(db_field, request, **kwargs))

    def user_change_password(
        self,
        request: HttpRequest,
        id: str,  # noqa: A002 - Django's name
        form_url: str = "",
    ) -> HttpResponse:
        """Write the audit in the same transaction."""
        with transaction.atomic():
            user = self.get_object(request, id)
            before = edits.snapshot(user) if user is not None else None
            answer = super().user_change_password(request, id, form_url)
            if user is not None and before is not None:
                edits.record_change(user, before=before, actor=get_actor(request))
            return answer

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        with transaction.atomic():
            _revoke_tokens([obj], request)
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        with transaction.atomic():
            _revoke_tokens(queryset, request)
            super().delete_queryset(request, queryset)


def _revoke_tokens(users: Any, request: HttpRequest) -> None:
    """Revoke tokens first: deleted with their users they would leave no audit."""
    for user in users:
        found = list(user.api_tokens.select_related("user"))
        if found:
            service.revoke_tokens(found, actor=get_actor(request))


class AuditedGroupAdmin(AuditedAdmin, ListAdmin[Group], GroupAdmin):
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        within = obj is None or not grants.group_exceeds(obj, holder=_get_holder(request))
        return within and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        within = obj is None or not grants.group_exceeds(obj, holder=_get_holder(request))
        return within and super().has_delete_permission(request, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Refuse groups of sources, which would be open to all without one."""
        listed, counts, needed, protected = super().get_deleted_objects(objs, request)
        sources = visible_sources(get_actor(request)).filter(groups__in=objs).distinct()
        return listed, counts, needed, [*protected, *map(str, sources)]

    def formfield_for_manytomany(
        self,
        db_field: "ManyToManyField[Any, Any]",
        request: HttpRequest | None = None,
        **kwargs: Any,
    ) -> Any:
        if request is not None:
            _limit_choices(db_field, request, kwargs)
        return _name_choices(super().formfield_for_manytomany(db_field, request, **kwargs))
