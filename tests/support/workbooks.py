"""Workbooks written part by part, as odd as programs and attackers write them."""

import io
from collections.abc import Mapping
from zipfile import ZIP_DEFLATED, ZipFile

from entries.readers.base import Row

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STRICT_MAIN = "http://purl.oclc.org/ooxml/spreadsheetml/main"
STRICT_OFFICE = "http://purl.oclc.org/ooxml/officeDocument/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
SHEET = "xl/worksheets/sheet1.xml"
STYLES = "xl/styles.xml"
TEXTS = "xl/sharedStrings.xml"


def relations(*found: tuple[str, str], office: str = OFFICE) -> str:
    lines = (
        f'<Relationship Id="rId{number}" Type="{office}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(found, 1)
    )
    return f'<Relationships xmlns="{PACKAGE}">{"".join(lines)}</Relationships>'


def parts(
    rows: str = "",
    *,
    texts: str = "",
    styles: str = "",
    book: str = "",
    main: str = MAIN,
    office: str = OFFICE,
) -> dict[str, str]:
    """A workbook of one sheet, by the names of its parts. ``book`` comes before the sheets."""
    sheets = '<sheets><sheet name="One" sheetId="1" r:id="rId1"/></sheets>'
    return {
        "_rels/.rels": relations(("officeDocument", "xl/workbook.xml"), office=office),
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}">{book}{sheets}</workbook>',
        "xl/_rels/workbook.xml.rels": relations(
            ("worksheet", "worksheets/sheet1.xml"),
            ("styles", "styles.xml"),
            ("sharedStrings", "sharedStrings.xml"),
            office=office,
        ),
        SHEET: f'<worksheet xmlns="{main}"><dimension ref="A1:XFD1048576"/>'
        f"<sheetData>{rows}</sheetData></worksheet>",
        STYLES: f'<styleSheet xmlns="{main}">{styles}</styleSheet>',
        TEXTS: f'<sst xmlns="{main}">{texts}</sst>',
    }


def packed(content: Mapping[str, str | bytes], *, compression: int = ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with ZipFile(out, "w", compression) as archive:
        for name, part in content.items():
            archive.writestr(name, part)
    return out.getvalue()


def inline(*rows: list[str | int]) -> str:
    """Rows of text and numbers that stand in the cells themselves."""
    return "".join(f"<row>{''.join(map(_cell, row))}</row>" for row in rows)


def _cell(value: str | int) -> str:
    if isinstance(value, int):
        return f"<c><v>{value}</v></c>"
    return f'<c t="inlineStr"><is><t xml:space="preserve">{value}</t></is></c>'


ONE = inline(["id", "title"], [1, "Eins"])
EINS = [Row(2, {"id": 1, "title": "Eins"})]
