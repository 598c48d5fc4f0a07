"""CSV as spreadsheets write it, and as they do not."""

from functools import partial
from itertools import count

import pytest

from entries.errors import SourceError
from entries.readers.base import Limits, Meter, Row, RowError
from entries.readers.csv_file import CsvTable
from tests.support.tables import read_table, refused_table

read = partial(read_table, CsvTable)
refused = partial(refused_table, CsvTable)


class TestSeparatorLine:
    """Excel's own first line, which nothing else knows."""

    @pytest.mark.parametrize("line", ["sep=;", "SEP=;", '"sep=;"', "\ufeffsep=;", '\ufeff"Sep=;"'])
    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_it_says_what_stands_between_the_cells(self, line: str, end: str) -> None:
        content = end.join([line, "id;a,b", "1;Eins", "2;Zwei", ""])
        rows = [Row(3, {"id": "1", "a,b": "Eins"}), Row(4, {"id": "2", "a,b": "Zwei"})]
        assert read(content, expects="id") == rows
        assert read(content.encode("utf-16"), expects="id") == rows

    @pytest.mark.parametrize("sign", [",", "\t", "|", "~", "^"])
    def test_any_sign(self, sign: str) -> None:
        content = f"sep={sign}\nid{sign}a;b\n1{sign}2\n"
        assert read(content, expects="id") == [Row(3, {"id": "1", "a;b": "2"})]

    def test_what_somebody_chose_beats_it(self) -> None:
        assert read("sep=;\nid,a\n1,2\n", delimiter=",") == [Row(3, {"id": "1", "a": "2"})]

    def test_a_column_that_is_called_so(self) -> None:
        assert read("sep=;,id\n1,2\n", expects="id") == [Row(2, {"sep=;": "1", "id": "2"})]


class TestEncodings:
    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
    @pytest.mark.parametrize("said", ["", "utf-8", "utf-16", "utf-16-le", "windows-1252"])
    def test_a_byte_order_mark_beats_what_was_said(self, encoding: str, said: str) -> None:
        content = "id,title\r\n1,Äpfel\r\n".encode(encoding)
        assert read(content, encoding=said) == [Row(2, {"id": "1", "title": "Äpfel"})]

    def test_big_endian(self) -> None:
        content = "\ufeffid,title\r\n1,Äpfel\r\n".encode("utf-16-be")
        assert read(content, encoding="utf-8") == [Row(2, {"id": "1", "title": "Äpfel"})]

    def test_two_marks_are_one(self) -> None:
        assert read("\ufeff\ufeffid\n1\n") == [Row(2, {"id": "1"})]

    @pytest.mark.parametrize("said", ["utf-16", "utf-16-le"])
    def test_without_a_mark_it_has_to_be_said(self, said: str) -> None:
        content = "id,a\n1,é\n".encode("utf-16-le")
        assert read(content, encoding=said) == [Row(2, {"id": "1", "a": "é"})]
        assert str(refused(content)) == "the file is binary, or not in utf-8"

    def test_a_label_that_is_none(self) -> None:
        assert str(refused("id\n1\n", encoding="klingon")) == "there is no encoding 'klingon'"


class TestRows:
    def test_short_ones_are_filled_and_long_ones_are_an_error(self) -> None:
        assert read("id,a,b\n1\n2,x\n3,x,y,z\n4,x,y,,\n") == [
            Row(2, {"id": "1", "a": "", "b": ""}),
            Row(3, {"id": "2", "a": "x", "b": ""}),
            RowError(4, "more cells than columns"),
            Row(5, {"id": "4", "a": "x", "b": "y"}),
        ]

    def test_a_nul_costs_its_row(self) -> None:
        assert read("id,a\n1,x\n2,\0y\n3,z\n") == [
            Row(2, {"id": "1", "a": "x"}),
            RowError(3, "a NUL character"),
            Row(4, {"id": "3", "a": "z"}),
        ]

    @pytest.mark.parametrize("content", ["id\0,a\n1,x\n", "id,a\n1,\0\1\n", "\0" * 100])
    def test_a_file_of_something_else(self, content: str) -> None:
        assert str(refused(content)) == "the file is binary, or not in utf-8"

    def test_names_are_chosen_by_whoever_reads(self) -> None:
        assert read(" ID ;A\n1;2\n", rename=str.lower, expects="id") == [
            Row(2, {"id": "1", "a": "2"})
        ]
        assert '2 columns are called "a"' in str(refused("A,a\n", rename=str.lower))


class TestQuotes:
    def test_one_that_swallows_the_rest_is_found_by_its_row(self) -> None:
        content = 'id,a\n1,x\n2,"never closed\n' + "3,y\n" * 1_000
        error = str(refused(content))
        assert "line 1,003: unexpected end of data" in error
        assert error.endswith("in the row that begins in line 3")

    def test_and_is_bounded(self) -> None:
        content = 'id,a\n1,x\n2,"never closed\n' + "3,yyyy\n" * 1_000_000
        error = refused(content)
        assert error.code == "malformed"
        assert "the row that begins in line 3 and reaches line 142,858 is longer" in str(error)


class TestLimits:
    WIDE = ",".join(f"c{number}" for number in range(1_000))

    def test_rows(self) -> None:
        limits = Limits(rows=2)
        assert len(read("id\n\n1\n\n2\n", limits=limits)) == 2
        error = refused("id\n1\n2\n3\n", limits=limits)
        assert (error.code, str(error)) == ("too_large", "the file has more than 2 rows")

    def test_columns(self) -> None:
        error = refused(self.WIDE, limits=Limits(columns=999))
        assert (error.code, str(error)) == ("too_large", "the header has more than 999 columns")

    def test_rows_times_columns(self) -> None:
        """Sixty kilobytes that would become thirty million cells."""
        content = f"{self.WIDE}\n" + "1\n" * 30_000
        error = refused(content, limits=Limits(cells=1_000_000))
        assert (error.code, str(error)) == ("too_large", "the file has more than 1,000,000 cells")

    def test_blank_rows(self) -> None:
        assert len(read("id\n" + "\n" * 10_000 + "1\n", limits=Limits(cells=10_000))) == 1
        assert refused("id\n" + "\n" * 20_000, limits=Limits(cells=10_000)).code == "too_large"

    def test_bytes(self) -> None:
        error = refused("id\n1\n", limits=Limits(bytes=4))
        assert (error.code, str(error)) == ("too_large", "the file has more than 4 bytes")

    def test_characters(self) -> None:
        error = refused("id\n" + "x" * 11, limits=Limits(characters=10))
        assert "longer than 10 characters" in str(error)

    @pytest.mark.parametrize("rows", ["1\n" * 1_000, "\n" * 10_000])
    def test_time(self, rows: str) -> None:
        error = refused(f"id\n{rows}", limits=Limits(seconds=-1))
        assert error.code == "too_slow"

    def test_the_clock_is_looked_at_between_rows(self) -> None:
        ticks = count()
        meter = Meter(Limits(seconds=3), clock=lambda: float(next(ticks)))
        for _ in range(3):
            assert meter.add(1, 1) == 256
        with pytest.raises(SourceError, match="more than 3 seconds"):
            meter.add(1, 1)

    def test_no_limit_is_passed_between_two_looks(self) -> None:
        meter = Meter(Limits(rows=100, cells=1_000))
        assert meter.add(1, 50) == 18
        assert meter.add(90, 0) == 9
