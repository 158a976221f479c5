"""Verdicts on the distinct values of a column: each value is parsed once, however often it stands.

A `Reader` holds how a column is written (formats, the center's own codes) and remembers its
verdicts. Columns that are written alike share one reader, also over deliveries of the same process;
except where the column's other values decide what a value means (`M` beside `H` is mujer): such a
column has a reader of its own, which judges all distinct values of the column together.
"""

from __future__ import annotations

import datetime as dt
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from transforms.harmonize import values as parsers
from transforms.harmonize.fish import cytogenetic_column
from transforms.harmonize.performance import from_karnofsky, karnofsky_number
from transforms.harmonize.picked import picked
from transforms.harmonize.plain import plain_verdict
from transforms.harmonize.values.codes import BY_COLUMN, code_rows
from transforms.harmonize.values.common import Row, is_missing
from transforms.harmonize.values.dates import date_rows
from transforms.harmonize.values.numbers import number_rows
from transforms.harmonize.values.regimens import regimen_rows
from transforms.harmonize.values.responses import response_rows
from transforms.harmonize.verdicts import OUTPUTS, Form, Line, Verdict

NUMBERS = parsers.NumberFormat()
_LETTER = re.compile(r"[^\W\d_]")
_MOST = 400_000  # verdicts that a reader remembers; then it starts anew, to bound memory

_DEFAULT_RULE = {"date": "DAT-01", "year": "DAT-01", "response": "RSP-01", "regimen": "SAL-01"}
_KIND = {"date": "date", "year": "date", **dict.fromkeys(("integer", "ecog", "number"), "number")}
# These parsers take the center's own codes themselves.
_OWN_IN_PARSER = ("response", "regimen", "lesion_category")


def reader_of(form: Form) -> Reader:
    """The reader of that form: one for all columns, or a new one where the column decides."""
    return Reader(form) if is_by_column(form) else _shared_reader(form)


@lru_cache(maxsize=2048)
def _shared_reader(form: Form) -> Reader:
    return Reader(form)


def is_by_column(form: Form) -> bool:
    """True if the meaning of a value depends on the other values of its column."""
    return form.parser == "code" and form.codelist in BY_COLUMN


class Reader:
    """Parses distinct values of one form and remembers the verdicts."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.by_column = is_by_column(form)
        self.nothing = Verdict((None,) * len(OUTPUTS[form.parser]))
        self.kind = form.parser if form.parser == "response" else _KIND.get(form.parser, "code")
        self.known: dict[str, Verdict] = {}
        self.lock = threading.Lock()  # centers may run in threads of one process
        self.regimens: list[tuple[Line, ...]] = [()]  # 0: no therapy

    def verdicts(self, values: Sequence[str]) -> list[Verdict]:
        """One verdict per value, in order; `values` are all of the column where it decides."""
        with self.lock:
            if self.by_column:
                self.known.clear()
            fresh = [value for value in values if value not in self.known]
            if fresh:
                if len(self.known) + len(fresh) > _MOST and self.form.parser != "regimen":
                    self.known.clear()
                    fresh = list(values)
                self._learn(fresh)
            return [self.known[value] for value in values]

    def _learn(self, fresh: list[str]) -> None:
        texts: dict[str, str] = {}
        own = dict(self.form.own)
        column: list[str] = []
        parts = picked(fresh, self.form)
        for value in fresh:
            text = self._text(value, parts)
            if isinstance(text, str):
                column.append(text)
                text = self._plain(text, own)
            if isinstance(text, Verdict):
                self.known[value] = text
            else:
                texts[value] = text
        distinct = list(dict.fromkeys(texts.values()))
        judged = list(dict.fromkeys([*distinct, *column])) if self.by_column else distinct
        found = dict(zip(judged, self._parse(judged), strict=True)) if distinct else {}
        for value, text in texts.items():
            self.known[value] = found[text]

    def _text(self, value: str, parts: Mapping[str, str | None]) -> str | Verdict:
        """The text to parse: the picked part, or the label; or a verdict at once."""
        text = value.strip()
        declared = self.form.missing
        if not text or text in declared:
            return self.nothing
        if self.form.pattern:
            if is_missing(text, self.kind, declared):
                return self.nothing
            part = parts[value]
            if part is None or not part.strip():
                if self.form.unmatched == "missing":
                    return self.nothing
                return self._wrong(None, "the cell does not have the form that the spec declares")
            text = part.strip()
        return text

    def _plain(self, text: str, own: Mapping[str, str | None]) -> str | Verdict:
        """The verdict on a text that needs no parser: an own code, or digits alone."""
        if text in own and self.form.parser not in _OWN_IN_PARSER:
            mapped = own[text]
            if mapped is None:
                return self.nothing
            if self.form.parser == "code":
                return Verdict((mapped,))
            text = mapped
        if text.isascii() and text.isdigit():
            if self.form.parser == "integer" and len(text) < 9:
                return Verdict((int(text),))
            if self.form.parser == "year" and len(text) == 4 and "1901" <= text <= "2100":
                return Verdict((int(text),))
        if self.form.parser in ("date", "number"):
            return plain_verdict(text, self.form) or text
        return text

    def _wrong(self, rule_id: str | None, note: str | None) -> Verdict:
        rule = rule_id or _DEFAULT_RULE.get(self.form.parser, "STR-06")
        return Verdict(self.nothing.values, "error", rule, note or "not understood")

    def _parse(self, texts: list[str]) -> list[Verdict]:
        return getattr(self, f"_parse_{self.form.parser}")(texts)  # type: ignore[no-any-return]

    def _judged(self, rows: Sequence[Row], columns: Sequence[str]) -> list[Verdict]:
        """Verdicts from a parser's rows: errors lose their value, remarks without rule are silent."""
        found = []
        for row in rows:
            status, rule_id, note = row.get("status"), row.get("rule_id"), row.get("note")
            cells = tuple(row.get(name) for name in columns)
            if status == "error":
                found.append(self._wrong(rule_id, note))
            elif status == "warning" and rule_id is not None:
                found.append(Verdict(cells, "warning", rule_id, note))
            else:
                found.append(Verdict(cells))
        return found

    def _parse_date(self, texts: list[str]) -> list[Verdict]:
        rows = date_rows(texts, self.form.dates)
        found = self._judged(rows, ("date", "precision", "side"))
        relative = [row.get("relative_days") for row in rows]
        hints = "days from another date: give the date itself"
        found = [
            self._wrong("DAT-01", hints)
            if days is not None and verdict.severity is None
            else verdict
            for verdict, days in zip(found, relative, strict=True)
        ]
        return [self._coarser(verdict) for verdict in found] if self.form.precision else found

    def _coarser(self, verdict: Verdict) -> Verdict:
        """The date as its first possible day, where the spec says that the day is invented."""
        date, precision, side = verdict.values
        if date is None:
            return verdict
        order = ("year", "month", "day")
        known = min(precision, self.form.precision or "day", key=order.index)
        first = date.replace(
            month=date.month if known != "year" else 1, day=date.day if known == "day" else 1
        )
        return verdict._replace(values=(first, known, side))

    def _parse_year(self, texts: list[str]) -> list[Verdict]:
        form = self.form.dates or parsers.DateFormat()
        found = self._judged(date_rows(texts, replace(form, year_column=True)), ("date",))
        return [
            verdict._replace(values=(verdict.values[0].year if verdict.values[0] else None,))
            for verdict in found
        ]

    def _parse_integer(self, texts: list[str]) -> list[Verdict]:
        rows = number_rows(texts, replace(self.form.numbers or NUMBERS, as_integer=True))
        return [self._whole(verdict) for verdict in self._judged(rows, ("number", "comparator"))]

    def _parse_ecog(self, texts: list[str]) -> list[Verdict]:
        """ECOG as it stands, or what a Karnofsky value means, with a warning."""
        plain = [karnofsky_number(text) or text for text in texts]
        return list(map(from_karnofsky, texts, self._parse_integer(plain)))

    def _whole(self, verdict: Verdict) -> Verdict:
        number, comparator = (*verdict.values, None)[:2]
        if number is not None and (comparator is not None or abs(number) >= 2**31):
            return self._wrong(None, "expected a whole number")
        return verdict._replace(values=(None if number is None else int(number),))

    def _parse_number(self, texts: list[str]) -> list[Verdict]:
        rows = number_rows(texts, self.form.numbers)
        return self._judged(rows, ("number", "comparator", "unit", "side"))

    def _parse_code(self, texts: list[str]) -> list[Verdict]:
        vocabulary = parsers.load_vocabulary(self.form.codelist or "")
        own = dict(self.form.own)
        rows = code_rows(texts, vocabulary, own, language=self.form.language)
        return self._judged(rows, ("code",))

    def _parse_lesion_category(self, texts: list[str]) -> list[Verdict]:
        """The default category of a site as written; a site not understood is told at the site."""
        rows = code_rows(texts, parsers.load_vocabulary("lesion_site"), {}, self.form.language)
        own = dict(self.form.own)
        return [
            self.nothing
            if row.get("status") == "missing"
            else Verdict((own.get(text) or row.get("category") or "UNKNOWN",))
            for text, row in zip(texts, rows, strict=True)
        ]

    def _parse_cytogenetics(self, texts: list[str]) -> list[Verdict]:
        rows = cytogenetic_column(texts, self.form.codelist or "", self.form.missing)
        found = self._judged(rows, ("said",))
        return [self.nothing if self.form.quiet and v.severity else v for v in found]

    _parse_cytogenetic_share = _parse_cytogenetics

    def _parse_text(self, texts: list[str]) -> list[Verdict]:
        return [
            Verdict((None if is_missing(text, "text", self.form.missing) else text,))
            for text in texts
        ]

    def _parse_response(self, texts: list[str]) -> list[Verdict]:
        rows = response_rows(texts, codebook=dict(self.form.own), language=self.form.language)
        named = [{**row, "reported": text} for text, row in zip(texts, rows, strict=True)]
        found = self._judged(named, ("code", "reported", "progression"))
        return [
            v if v.values[0] is not None else v._replace(values=self.nothing.values) for v in found
        ]

    def _parse_regimen(self, texts: list[str]) -> list[Verdict]:
        rows = regimen_rows(texts, codebook=dict(self.form.own), dates=self.form.dates)
        found = self._judged(rows, ("lines", "flags"))
        starts = self._starts(rows)
        return [
            self._lines(verdict, row.get("status", "ok"), starts)
            for verdict, row in zip(found, rows, strict=True)
        ]

    def _starts(self, rows: Sequence[Row]) -> Mapping[str, tuple[dt.date, str]]:
        """Date and precision of the dates beside regimens, by their text; only those understood."""
        lines = [line for row in rows for line in row.get("lines") or ()]
        written = sorted({line["start_text"] for line in lines} - {None})
        # In a text, 15.03. is a day of March and no month of 2015, whatever the columns hold.
        careful = self.form.dates is None or self.form.dates.order == "ymd"
        return {
            text: (row["date"], row["precision"])
            for text, row in zip(written, date_rows(written, self.form.dates), strict=True)
            if row.get("date") is not None
            and row.get("status") != "error"
            and not (careful and row.get("two_digit_year") and not _LETTER.search(text))
        }

    def _lines(
        self, verdict: Verdict, status: str, starts: Mapping[str, tuple[dt.date, str]]
    ) -> Verdict:
        if verdict.severity == "error":
            return verdict
        lines = verdict.values[0] or []
        if not lines:
            none = 0 if status != "missing" else None
            return verdict._replace(values=(none, None, None))
        self.regimens.append(
            tuple(
                Line(
                    "|".join(sorted(line["drugs"])),
                    line["text"],
                    *starts.get(line["start_text"], (None, None)),
                )
                for line in lines
            )
        )
        lost = [
            line for line in lines[1:] if line["start_text"] and line["start_text"] not in starts
        ]
        if lost and verdict.severity is None:
            note = "the date beside a later line is not understood: give at least month and year"
            verdict = verdict._replace(severity="warning", rule_id="DAT-01", note=note)
        found = self.regimens[-1]
        alone = (found[0].drugs, found[0].text) if len(found) == 1 else (None, None)
        return verdict._replace(values=(len(self.regimens) - 1, *alone))
