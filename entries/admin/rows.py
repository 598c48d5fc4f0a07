"""The table of a list as HTML, written in one pass.

The cells are those of Django's own list, which calls a dozen functions and renders a template node
for each. Plain text is in ``<bdi>``: all of it may come from outside. A cell has the label of its
column, for narrow screens, where a row is a card.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from html import escape
from typing import Any, cast

from django.contrib.admin.templatetags.admin_list import result_headers
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.utils import display_for_field, display_for_value, lookup_field
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import FieldDoesNotExist, ObjectDoesNotExist
from django.db.models import (
    BooleanField,
    CharField,
    DateField,
    Field,
    ForeignKey,
    IntegerField,
    Model,
    TimeField,
)
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext

#: Reads a row and writes the content of a cell.
Cell = Callable[[Any], str]
_CHECKBOX = "action_checkbox"
#: Characters that fit into two lines of a narrow column.
_LONG = 24


def render_table(cl: ChangeList) -> SafeString:
    """Render what the list ``cl`` has found; nothing where it is empty."""
    if not cl.result_list:
        return SafeString("")
    headers = list(result_headers(cl))
    columns = list(_list_columns(cl, [capfirst(str(header["text"])) for header in headers]))
    rows = "\n".join(
        f"<tr>{''.join([f'{begin}{cell(row)}{end}' for begin, cell, end in columns])}</tr>"
        for row in cl.result_list
    )
    head = "".join(_render_header(header) for header in headers)
    return SafeString(
        '<div class="results">\n<table id="result_list">\n'
        f"<thead>\n<tr>{head}</tr>\n</thead>\n<tbody>\n{rows}\n</tbody>\n</table>\n</div>\n"
    )


def _render_header(header: dict[str, Any]) -> str:
    text = header["text"]
    if not isinstance(text, SafeString):  # the box that ticks all rows
        text = escape(capfirst(str(text)))
    if "action-checkbox-column" in header["class_attrib"]:
        words = escape(gettext("Select all"))
        inner = f'<label>{text} <span class="only-on-cards">{words}</span></label>'
    elif header["sortable"]:
        inner = f'<a href="{escape(header["url_primary"])}">{text}</a>'
    else:
        inner = f"<span>{text}</span>"
    sorting = _render_sorting(header) if header.get("sorted") else ""
    return (
        f'<th scope="col"{header["class_attrib"]}>{sorting}<div class="text">{inner}</div>'
        '<div class="clear"></div></th>'
    )


def _render_sorting(header: dict[str, Any]) -> str:
    way = "ascending" if header["ascending"] else "descending"
    remove, toggle = escape(gettext("Remove from sorting")), escape(gettext("Toggle sorting"))
    return (
        '<div class="sortoptions">'
        f'<a class="sortremove" href="{escape(header["url_remove"])}" title="{remove}"></a>'
        f'<a class="toggle {way}" href="{escape(header["url_toggle"])}" title="{toggle}"></a>'
        "</div>"
    )


def _list_columns(cl: ChangeList, labels: list[str]) -> Iterator[tuple[str, Cell, str]]:
    """Yield the beginning, the content and the end of the cells of each column."""
    linked_before = False
    for index, (column, label) in enumerate(zip(cl.list_display, labels, strict=True)):
        name = column if isinstance(column, str) else getattr(column, "__name__", str(index))
        field, cell = _find_cell(cl, column)
        links = _is_linked(cl, column, linked_before=linked_before)
        tag = "th" if links and not linked_before else "td"
        linked_before = linked_before or links
        if links:
            cell = _link(cl, cell)
        if name == _CHECKBOX:
            yield '<td class="action-checkbox">', cell, "</td>"
            continue
        wraps = not isinstance(field, DateField | TimeField | ForeignKey)
        css = f"field-{name}" if wraps else f"field-{name} nowrap"
        yield f'<{tag} class="{css}" data-label="{escape(label)}">', cell, f"</{tag}>"


def _is_linked(cl: ChangeList, column: Any, *, linked_before: bool) -> bool:
    links = cast("Sequence[Any] | None", cl.list_display_links)
    if links is None:
        return False
    return column in links if links else not linked_before


def _link(cl: ChangeList, cell: Cell) -> Cell:
    kept: dict[str, Any] = {"preserved_filters": cl.preserved_filters, "opts": cl.opts}

    def write(row: Model) -> str:
        url = cl.url_for_result(row)
        if cl.preserved_filters:
            url = add_preserved_filters(kept, url)
        return f'<a href="{escape(url)}">{cell(row)}</a>'

    return write


def _find_cell(cl: ChangeList, column: Any) -> tuple["Field[Any, Any] | None", Cell]:
    """Find how Django would read a column: a field, a method of the page, or anything else."""
    page, empty = cl.model_admin, str(cl.model_admin.get_empty_value_display())
    if isinstance(column, str):
        with suppress(FieldDoesNotExist):
            field = cl.lookup_opts.get_field(column)
            if isinstance(field, Field) and field.name == column:
                return field, _read_field(field, escape(empty))
        method = getattr(page, column, None) if column != "__str__" else None
        if callable(method) and not getattr(method, "boolean", False):
            empty = escape(str(getattr(method, "empty_value_display", empty)))
            return None, lambda row: _write(method(row), empty)
    return None, _read_anything(cl, column, empty)


def _read_field(field: "Field[Any, Any]", empty: str) -> Cell:
    name = field.name

    def write(value: Any) -> str:
        return _write(display_for_field(value, field, empty), empty)

    if isinstance(field, ForeignKey):
        return lambda row: _write(getattr(row, name), empty)
    if isinstance(field, CharField) and not field.flatchoices:
        return lambda row: _write(getattr(row, name), empty)
    if isinstance(field, CharField | IntegerField | BooleanField):
        write = cache(write)  # few values on a page, and they can be hashed
    return lambda row: write(getattr(row, name))


def _read_anything(cl: ChangeList, column: Any, empty: str) -> Cell:
    def write(row: Model) -> str:
        try:
            _, attr, value = lookup_field(column, row, cl.model_admin)
        except ObjectDoesNotExist:
            return escape(empty)
        shown = str(getattr(attr, "empty_value_display", empty))
        boolean = getattr(attr, "boolean", False) or getattr(
            getattr(attr, "fget", None), "boolean", False
        )
        return _write(display_for_value(value, shown, boolean), escape(shown))

    return write


def _write(value: Any, empty: str) -> str:
    """Write what a column has for a row; ``empty`` is HTML already."""
    if value is None:
        return empty
    if not isinstance(value, str):
        value = str(value) if isinstance(value, Model) else display_for_value(value, empty)
    if isinstance(value, SafeString):
        return value if value.strip() else empty
    if not value.strip() or value == empty:
        return empty
    shown = escape(value)
    title = f' title="{shown}"' if len(value) > _LONG else ""  # for what the page cuts
    return f"<bdi{title}>{shown}</bdi>"
