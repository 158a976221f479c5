"""Cells of one source, ready to be mapped: ids cleaned, rows that are no data taken out and counted."""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from schemas.errors import SpecError
from schemas.spec import CenterSpec, Condition
from transforms.harmonize.lookalike import look_alikes
from transforms.harmonize.plan import NO_WORDS, MappingPlan, Words, fill
from transforms.harmonize.privacy_withdrawn import REASON as REASON_WITHDRAWN
from transforms.harmonize.privacy_withdrawn import REASON_ALIKE
from transforms.harmonize.sources import OpenSource, nfc

ROW = "_row"
ID = "_id"
REASON = "_reason"
Fix = Callable[[pl.DataFrame, str], pl.DataFrame]


def condition(test: Condition, header: str) -> pl.Expr:
    """True where the cell passes all parts of the test; an empty cell is the text ''."""
    text = pl.col(header).str.strip_chars().fill_null("")
    parts: list[pl.Expr] = []
    if test.equals is not None:
        parts.append(text == nfc(test.equals))
    if test.one_of is not None:
        parts.append(text.is_in([nfc(v) for v in test.one_of]))
    if test.not_in is not None:
        parts.append(~text.is_in([nfc(v) for v in test.not_in]))
    if test.matches is not None:
        parts.append(text.str.contains(test.matches))
    if test.filled is not None:
        parts.append((text != "") if test.filled else (text == ""))
    return pl.all_horizontal(parts)


def conditions(tests: tuple[Condition, ...], words: Words = NO_WORDS) -> pl.Expr:
    """True where all tests pass."""
    bound = []
    for test in tests:
        values = {
            name: fill(value, words) if isinstance(value, str) else value
            for name, value in (("equals", test.equals), ("matches", test.matches))
        }
        bound.append(condition(test.model_copy(update=values), fill(test.column, words)))
    return pl.all_horizontal(bound)


def load_fix(spec: CenterSpec) -> Fix | None:
    """The function `fix(cells, source)` of the center's Python file, if the spec names one."""
    path = spec.fix_path
    if path is None:
        return None
    function = getattr(_module(path), "fix", None)
    if not callable(function):
        raise SpecError(
            f"{path.name}: there is no function 'fix'",
            fix="define fix(cells: pl.DataFrame, source: str) -> pl.DataFrame",
        )
    return function  # type: ignore[no-any-return]


def _module(path: Path) -> Any:
    module_spec = importlib.util.spec_from_file_location(f"carmony_fix_{abs(hash(path))}", path)
    if module_spec is None or module_spec.loader is None:
        raise SpecError(f"{path.name}: cannot be loaded", fix="it must be a Python file (.py)")
    module = importlib.util.module_from_spec(module_spec)
    try:
        module_spec.loader.exec_module(module)
    except Exception as problem:
        raise SpecError(f"{path.name}: fails when loaded: {type(problem).__name__}") from problem
    return module


class Intake:
    """Reads a source batch by batch and accounts for every row.

    Attributes:
        n_in: Rows that stand in the source: data rows and rows that the reader rejects.
        excluded: Rows taken out, by reason.
        quarantined: Rows that cannot be placed, by rule id or reason code.
        issues: Rows of FILE_ISSUE.
    """

    def __init__(self, plan: MappingPlan, source: OpenSource, fix: Fix | None) -> None:
        self.plan = plan
        self.source = source
        self.fix = fix if source.spec.fix else None
        self.n_in = 0
        self.excluded: Counter[str] = Counter()
        self.quarantined: Counter[str] = Counter()
        self.issues: list[dict[str, Any]] = []
        self.id_header = nfc(source.spec.patient_id)

    def batches(self) -> Iterator[pl.DataFrame]:
        """Frames with `_row`, `_id` (never null) and the cells by header (Unicode form C)."""
        for batch in _gathered(self.source.reader.batches(), self.plan.batch_rows):
            self.n_in += batch.height
            yield self._prepare(batch)
        self._rejects()

    def whole(self) -> pl.DataFrame:
        """All rows in one frame."""
        frames = list(self.batches())
        if not frames:
            names = [ROW, *self.source.columns, *self.source.spec.adds, ID]
            types: list[Any] = [pl.Int32, *[pl.String] * (len(names) - 1)]
            return pl.DataFrame(schema=dict(zip(names, types, strict=True)))
        return pl.concat(frames) if len(frames) > 1 else frames[0]

    def _prepare(self, batch: pl.DataFrame) -> pl.DataFrame:
        renamed = {name: nfc(name) for name in batch.columns if not name.isascii()}
        if any(old != new for old, new in renamed.items()):
            batch = batch.rename(renamed)
        batch = self._fixed(batch)
        text = pl.col(self.id_header).str.strip_chars()
        batch = batch.with_columns(pl.when(text != "").then(text).alias(ID))
        odd = pl.col(ID).str.contains("[^ -~]").any()
        pattern = f"^(?:{self.plan.spec.id_pattern or '.*'})$"
        strange = (~pl.col(ID).str.contains(pattern)).sum()
        facts = batch.select(odd.alias("odd"), strange.alias("strange")).row(0)
        if facts[0]:
            batch = batch.with_columns(pl.col(ID).str.normalize("NFC"))
        batch = self._without_identifiers(self._sorted_out(batch))
        batch = self._without_withdrawn(self._with_id(batch))
        if facts[0]:
            batch = self._without_look_alikes(batch)
        if facts[1]:
            self._strange_ids(batch, pattern)
        self._checkboxes(batch)
        return batch

    def _fixed(self, batch: pl.DataFrame) -> pl.DataFrame:
        if self.fix is None:
            return batch
        try:
            fixed = self.fix(batch, self.source.name)
        except Exception as problem:
            raise SpecError(
                f"{self.plan.spec.fix}: fix() fails on {self.source.place}: {type(problem).__name__}",
                fix="correct the function; run it on the file with --debug to see the traceback",
            ) from problem
        if not isinstance(fixed, pl.DataFrame) or fixed.schema.get(ROW) != pl.Int32:
            raise SpecError(f"{self.plan.spec.fix}: fix() must return a frame that keeps '_row'")
        if not fixed[ROW].is_in(batch[ROW].implode()).all() or fixed[ROW].is_duplicated().any():
            raise SpecError(f"{self.plan.spec.fix}: fix() may drop rows, not invent or repeat them")
        names = [name for name in fixed.columns if name != ROW]
        if lost := [name for name in batch.columns if name not in fixed.columns]:
            raise SpecError(f"{self.plan.spec.fix}: fix() drops columns {', '.join(lost)}")
        self._exclude("fix", batch.height - fixed.height)
        return fixed.with_columns(pl.col(names).cast(pl.String))

    def _exclude(self, reason: str, n: int) -> None:
        if n:
            self.excluded[reason] += n

    def _sorted_out(self, batch: pl.DataFrame) -> pl.DataFrame:
        spec = self.source.spec
        if not spec.exclude and not spec.where:
            return batch
        reason: Any = pl.when(False).then(pl.lit(None, pl.String))
        for rule in spec.exclude:
            if rule.when is not None:
                test = conditions(rule.when)
            else:
                test = ~pl.col(ID).str.contains(rule.id_does_not_match or "").fill_null(True)
            reason = reason.when(test).then(pl.lit(rule.reason))
        if spec.where:
            reason = reason.when(~conditions(spec.where)).then(pl.lit("filtered"))
        marked = batch.with_columns(reason.otherwise(None).alias(REASON))
        counted = marked[REASON].drop_nulls().value_counts()
        for name, n in counted.sort(REASON).iter_rows():
            self._exclude(name, n)
        return marked.filter(pl.col(REASON).is_null()).drop(REASON)

    def _without_identifiers(self, batch: pl.DataFrame) -> pl.DataFrame:
        unwanted = {nfc(name) for name in self.source.spec.drop} & set(batch.columns)
        return batch.drop(unwanted) if unwanted else batch

    def _with_id(self, batch: pl.DataFrame) -> pl.DataFrame:
        if not batch[ID].null_count():
            return batch
        lost = batch.filter(pl.col(ID).is_null())
        self.quarantined["STR-01"] += lost.height
        for row in lost[ROW].to_list():
            self.issue("STR-01", "error", row, self.id_header, "the row has no patient id")
        return batch.filter(pl.col(ID).is_not_null())

    def _without_look_alikes(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Ids with characters that are drawn like others or not at all are no patients of their own."""
        ids = batch[ID].unique().drop_nulls().to_list()
        declared = self.plan.spec.id_pattern or ""
        odd = look_alikes(ids, other_scripts=not declared.isascii())
        if not odd:
            return batch
        alike = pl.col(ID).is_in([*odd]).fill_null(value=False)
        for row, patient in batch.filter(alike).select(ROW, ID).iter_rows():
            note = f"the patient id holds characters that look like others or are not seen: {odd[patient]}"
            self.issue("STR-04", "error", row, self.id_header, note, patient, patient)
            self.quarantined["STR-04"] += 1
        return batch.filter(~alike)

    def _without_withdrawn(self, batch: pl.DataFrame) -> pl.DataFrame:
        if self.plan.withdrawn is None:
            return batch
        ids = batch[ID].unique().to_list()
        gone = self.plan.withdrawn.among(ids)
        kept = batch.filter(~pl.col(ID).is_in(gone)) if gone else batch
        self._exclude(REASON_WITHDRAWN, batch.height - kept.height)
        alike = self.plan.withdrawn.look_like(ids)
        return self._without_alike(kept, alike) if alike else kept

    def _without_alike(self, batch: pl.DataFrame, ids: list[str]) -> pl.DataFrame:
        """Rows of ids spelled almost as a withdrawn one wait; the finding names a row, and not the id."""
        held = batch.filter(pl.col(ID).is_in(ids))
        note = "the patient id is written almost like that of a patient who has withdrawn"
        for row in held.unique(ID, keep="first", maintain_order=True)[ROW]:
            self.issue("STR-04", "error", row, self.id_header, note)
        self.quarantined[REASON_ALIKE] += held.height
        return batch.filter(~pl.col(ID).is_in(ids))

    def _strange_ids(self, batch: pl.DataFrame, pattern: str) -> None:
        """Ids of another form than declared (STR-04)."""
        found = batch.filter(~pl.col(ID).str.contains(pattern)).select(ROW, ID)
        note = "the patient id does not have the form that the spec declares"
        for row, patient in found.iter_rows():
            self.issue("STR-04", "warning", row, self.id_header, note, patient, patient)

    def _checkboxes(self, batch: pl.DataFrame) -> None:
        """Checkbox groups that contradict themselves (STR-09)."""
        for group in self.source.spec.checkboxes:
            none = nfc(group.none)
            others = [nfc(name) for name in group.others]
            both = batch.filter(ticked(none) & pl.any_horizontal([ticked(name) for name in others]))
            for cells in both.select(ROW, ID, none, *others).iter_rows(named=True):
                fields = [none, *[name for name in others if is_ticked(cells[name])]]
                note = "the box 'none' is ticked beside others"
                for position, name in enumerate(fields, 1):
                    self.issue(
                        "STR-09",
                        "warning",
                        cells[ROW],
                        name,
                        note,
                        cells[ID],
                        cells[name],
                        position,
                    )

    def _rejects(self) -> None:
        rejects = self.source.reader.rejects()
        self.n_in += rejects.height
        for row, code, problem in rejects.select(ROW, "code", "problem").iter_rows():
            self.quarantined[code] += 1
            self.issue("STR-11", "error", row, None, f"the row cannot be read: {problem} [{code}]")

    def issue(
        self,
        rule_id: str,
        severity: str,
        row: int | None,
        header: str | None,
        note: str,
        patient: str | None = None,
        value: str | None = None,
        position: int = 1,
    ) -> None:
        """Notes a finding that belongs to a cell of the source, not to a canonical row."""
        column = self.source.columns.get(header) if header else None
        self.issues.append(
            {
                "position": position,
                "rule_id": rule_id,
                "severity": severity,
                "source_id": self.source.source_id,
                "file": self.source.file,
                "sheet": self.source.sheet,
                "row": row,
                "source_column": column.name if column else header,
                "patient_id": patient,
                "value": value,
                "note": note,
            }
        )


TICKED = ("1", "checked", "x", "ja", "yes", "true")


def ticked(header: str) -> pl.Expr:
    """True where a checkbox column says that the box is ticked."""
    return pl.col(header).str.strip_chars().str.to_lowercase().is_in(TICKED).fill_null(False)


def is_ticked(cell: str | None) -> bool:
    """The same for one cell."""
    return cell is not None and cell.strip().lower() in TICKED


def _gathered(batches: Iterator[pl.DataFrame], most: int) -> Iterator[pl.DataFrame]:
    """Neighbouring batches as one, up to `most` rows: each batch has costs of its own downstream."""
    waiting: list[pl.DataFrame] = []
    height = 0
    for batch in batches:
        if waiting and height + batch.height > most:
            yield pl.concat(waiting) if len(waiting) > 1 else waiting[0]
            waiting, height = [], 0
        waiting.append(batch)
        height += batch.height
    if waiting:
        yield pl.concat(waiting) if len(waiting) > 1 else waiting[0]
