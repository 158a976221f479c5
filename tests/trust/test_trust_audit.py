"""The audit gate: faults planted in a warehouse are told with their place, what is nearly a fault is not.

The demo study is published twice. Each try takes the last state, plants one fault (in the warehouse,
or in what it is compared with) of a random center, group or table, and asks the checks that compare.
"""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from expectations import audit, write_results
from expectations.audit import AuditResult
from expectations.engine import great_expectations, new_context
from expectations.profile import Profile, profile_path, read_profile
from expectations.suite import Suite, load_suite
from flows import results
from flows.history import rebuild
from flows.outcome import AUDIT_STOPPED, PUBLISHED, RunOutcome
from flows.run import RunRequest, run_study
from flows.show import Silent
from tests.flows import lenient_runs, small_study
from tests.trust.conftest import FULL
from tests.trust.load_module import load_module
from tests.trust.one_table import plan_one_table
from warehouse import alternatives

Record = Callable[..., None]
COMPARING = tuple(f"AUD-{n}" for n in range(23, 34))
KEY_TABLES = ("infusion", "relapse", "treatment_line", "response", "follow_up", "subject")


@dataclass
class States:
    """A published state, what was published before it, and the centers with their cohorts."""

    warehouse: Path
    before: Profile
    now: Profile
    cohorts: dict[str, int]
    measured: frozenset[str]

    def count(self, figure: str, center: str, name: str, level: str | None = None) -> int:
        """A count of the published state."""
        rows = (r for r in self.now.rows if r[:4] == (figure, center, name, level))
        return next((row[4] for row in rows), 0)


@dataclass
class Plant:
    """A fault, or nearly one: statements on the warehouse, counts before, and where it is told."""

    check: str
    place: str
    statements: list[str] = field(default_factory=list)
    counts: dict[tuple[str, str, str, str | None], int] = field(default_factory=dict)
    stops: bool = False


@pytest.fixture(scope="module")
def states(demo_after_round: Callable[[int], Path]) -> States:
    folder = demo_after_round(2)
    profiles = [read_profile(profile_path(folder / "vault" / "profiles", n)) for n in (1, 2)]
    assert profiles[0] is not None
    assert profiles[1] is not None
    cohorts = {
        row[1]: row[4] for row in profiles[1].rows if row[0] == "known" and row[2] == "cohort"
    }
    warehouse = folder / "published" / "warehouse.duckdb"
    with duckdb.connect(str(warehouse), read_only=True) as con:
        found = con.execute(
            "select center_id from core.lab where test = 'HB' group by all having count(value) >= 5"
        ).fetchall()
    return States(
        warehouse, profiles[0], profiles[1], cohorts, frozenset(center for (center,) in found)
    )


# The faults. Each gives one that must be told and, with `near`, one of the same kind that must not. -----


def rows(states: States, rng: random.Random, near: bool) -> Plant:
    center, table = rng.choice([*states.cohorts]), rng.choice(KEY_TABLES)
    kept = states.count("rows", center, table)
    before = max(kept * 2 + rng.randint(1, 30), 10 + kept + 1)
    if near:
        before = kept + min(10, kept // 2)
    counts = {("rows", center, table, None): before, ("sent", center, table, None): before}
    # As many are sent now as before, so that it is what was made of them that is fewer.
    sent = [
        f"update quality.ledger set n_rows = 0 where step = 'check' and outcome = 'in' and \"table\" = '{table}' "
        f"and delivery_key in (select delivery_key from quality.delivery where center_id = '{center}')",
        "insert into quality.ledger select delivery_key, 'check', null, "
        f"'{table}', 'in', null, {before} from quality.delivery where center_id = '{center}' and is_current",
    ]
    return Plant("AUD-23", f"{center} {table}", sent, counts, stops=True)


def completeness(states: States, rng: random.Random, near: bool) -> Plant:
    center = rng.choice([c for c, n in states.cohorts.items() if n >= 10 and n <= 20])
    variable = rng.choice(["AGE", "NPRLINE", "PBCMAFL"])
    n = states.cohorts[center]
    known = states.count("known", center, variable)
    lost = 4 if near else max(5, n // 5 + 1)
    statement = (
        f"update analysis.adsl set {variable} = null where SITEID = '{center}' and USUBJID in (select USUBJID "
        f"from analysis.adsl where SITEID = '{center}' and {variable} is not null order by USUBJID limit {lost})"
    )
    assert known >= lost
    counts = {("known", center, variable, None): known, ("known", center, "cohort", None): n}
    return Plant("AUD-24", f"{center} {variable}", [statement], counts)


def dates(states: States, rng: random.Random, near: bool) -> Plant:
    center = rng.choice([c for c in states.cohorts if states.count("rows", c, "follow_up") >= 10])
    days = rng.randint(20, 120) if near else rng.randint(250, 1200)
    statement = f"update core.follow_up set last_contact_date = last_contact_date - {days} where center_id = '{center}'"
    return Plant("AUD-25", f"{center} follow_up.last_contact_date", [statement])


def codes(states: States, rng: random.Random, near: bool) -> Plant:
    center = rng.choice(
        [c for c in states.cohorts if states.count("cells", c, "exposure.refractory") >= 40]
    )
    n = states.count("cells", center, "exposure.refractory")
    wanted = rng.randint(1, n // 6) if near else rng.randint(n // 2, n)
    statement = (
        "update core.exposure set refractory = 'U' where row_id in (select row_id from core.exposure "
        f"where center_id = '{center}' and refractory is not null order by row_id limit {wanted})"
    )
    counts = {("unknown", center, "exposure.refractory", None): 0}
    return Plant("AUD-26", f"{center} exposure.refractory", [statement], counts)


def drift(states: States, rng: random.Random, near: bool) -> Plant:
    center = rng.choice([c for c, n in states.cohorts.items() if n >= 12])
    n = states.cohorts[center]
    women = states.count("level", center, "sex", "F")
    nearly = max(0, women - n // 10)  # one patient in ten of the other sex
    women_before = nearly if near else n if women < n / 2 else 0
    counts: dict[tuple[str, str, str, str | None], int] = {
        ("level", center, "sex", "F"): women_before,
        ("level", center, "sex", "M"): n - women_before,
    }
    return Plant("AUD-27", f"{center} sex", [], counts)


def references(states: States, rng: random.Random, near: bool) -> Plant:
    if near:  # a question of a delivery that is no more in force still leads to it
        keys = "select delivery_key from quality.delivery where not is_current"
        statement = f"update quality.query set delivery_key = ({keys} limit 1) where delivery_key is not null"
        return Plant("AUD-28", "", [statement], stops=True)
    one = "(select min(USUBJID) from analysis.adsl)"
    place, statement = rng.choice(
        [
            ("analysis.adtte group of the patient",
             f"update analysis.adtte set GRP4 = case GRP4 when 'TEC' then 'IPC' else 'TEC' end where USUBJID = {one}"),
            ("analysis.adrs patient of adsl", f"update analysis.adrs set USUBJID = 'X' where USUBJID = {one}"),
            ("analysis.salvage_line patient of adsl", "update analysis.salvage_line set SITEID = "
             f"case SITEID when 'DE01' then 'DE02' else 'DE01' end where USUBJID = {one}"),
            ("core.lab delivery in force", "update quality.delivery set is_current = false where center_id = 'CH01'"),
            ("quality.query_event query", "delete from quality.query where query_id = "
             "(select min(query_id) from quality.query)"),
            ("quality.ledger delivery", "update quality.ledger set delivery_key = 99999 where rowid = 0"),
        ]
    )  # fmt: skip
    return Plant("AUD-28", place, [statement], stops=True)


def groups(states: States, rng: random.Random, near: bool) -> Plant:
    group = rng.choice(["TALQ", "TEC", "IPC", "OTHER"])
    now = sum(
        row[4] for row in states.now.rows if row[:1] == ("level",) and row[2:4] == ("group", group)
    )
    before = now + (rng.randint(0, 8) if near else rng.randint(now + 11, 3 * now + 20))
    held = {row[:4] for row in states.before.rows if row[0] == "level" and row[2] == "group"}
    counts = {key: states.count(*key) if key[3] != group else 0 for key in held}
    counts["level", "DE01", "group", group] = before
    patients = {
        ("rows", c, "subject", None): states.count("rows", c, "subject") for c in states.cohorts
    }
    return Plant("AUD-29", group, [], {**counts, **patients}, stops=True)


def medians(states: States, rng: random.Random, near: bool) -> Plant:
    group = rng.choice(["IPC", "OTHER"])
    factor = rng.uniform(0.5, 2) if near else rng.choice([1 / 30, 1 / 12, 30.4375])
    endpoints = "'OS', 'PFS'" if near or factor < 1 else "'OS'"
    statement = f"update analysis.adtte set AVALM = AVALM * {factor} where PARAMCD in ({endpoints}) and GRP4 = '{group}'"
    return Plant("AUD-30", f"OS {group}", [statement])


def shares(states: States, rng: random.Random, near: bool) -> Plant:
    center = rng.choice([c for c, n in states.cohorts.items() if n >= 15])
    share, column = rng.choice([("deaths", "DTHFL"), ("responses", "RESPFL")])
    n = states.cohorts[center]
    wanted = n // 2 if near else rng.choice([n, 0])
    statement = (
        f"update analysis.adsl set {column} = case when USUBJID in (select USUBJID from analysis.adsl "
        f"where SITEID = '{center}' order by USUBJID limit {wanted}) then 'Y' else 'N' end where SITEID = '{center}'"
    )
    return Plant("AUD-31", f"{center} {share}", [statement])


def times(states: States, rng: random.Random, near: bool) -> Plant:
    center = rng.choice([c for c, n in states.cohorts.items() if n >= 10])
    days = rng.randint(1, 20) if near else rng.randint(300, 800)
    statement = f"update analysis.adsl set TRTSDT = TRTSDT + {days} where SITEID = '{center}'"
    return Plant("AUD-32", f"{center} relapse to salvage", [statement])


def units(states: States, rng: random.Random, near: bool) -> Plant:
    center = rng.choice(sorted(states.measured))
    factor = rng.uniform(0.85, 1.15) if near else rng.choice([1 / 1.611, 10.0])  # mmol/L, g/L
    statement = (
        f"update core.lab set value = value * {factor} where test = 'HB' and center_id = '{center}'"
    )
    return Plant("AUD-33", f"{center} HB", [statement])


FAULTS = (
    rows, completeness, dates, codes, drift, references, groups, medians, shares, times, units
)  # fmt: skip


def judged(states: States, plant: Plant, place: Path, suite: Suite) -> AuditResult:
    """The audit of the state with a fault planted."""
    path = place / "planted.duckdb"
    shutil.copyfile(states.warehouse, path)
    con = duckdb.connect(str(path))
    for statement in plant.statements:
        con.execute(statement).fetchall()
    con.close()
    counts = {row[:4]: row[4] for row in states.before.rows} | plant.counts
    changed = tuple((*key, n) for key, n in sorted(counts.items(), key=str) if n > 0)
    return audit(path, suite, Profile(1, changed))


def told(result: AuditResult, plant: Plant) -> bool:
    """Whether the fault's check says where, with its severity."""
    sentences = result.critical_failures if plant.stops else result.warnings
    return any(
        text.startswith(plant.check) and plant.place in text and "could not" not in text
        for text in sentences
    )


def comparing(*ids: str) -> Suite:
    """The checks that compare with the state before, or those of them with these ids."""
    whole = load_suite()
    return replace(whole, checks=tuple(c for c in whole.checks if c.id in (ids or COMPARING)))


def test_planted_faults_are_told_with_their_place_and_near_faults_are_not(
    states: States, tmp_path: Path, tries: Callable[[int, int], int], figure: Record
) -> None:
    rng = random.Random(6)
    suite = comparing()
    sound = judged(states, Plant("", ""), tmp_path, suite)
    assert (sound.critical_failures, sound.warnings) == ((), ())
    missed, alarms, n = [], [], tries(1, 30)
    for fault in FAULTS:
        for _ in range(n):
            plant, near = fault(states, rng, False), fault(states, rng, True)
            # What is looked at is what the check of the fault says; in CI no other is asked.
            asked = suite if FULL else comparing(plant.check)
            assert plant.check == near.check
            if not told(judged(states, plant, tmp_path, asked), plant):
                missed.append(plant)
            result = judged(states, near, tmp_path, asked)
            if [
                t for t in (*result.critical_failures, *result.warnings) if t.startswith(near.check)
            ]:
                alarms.append((near, result.critical_failures, result.warnings))
    blind = replace(suite, checks=tuple(c for c in suite.checks if c.id != "AUD-28"))
    control = references(states, rng, False)
    assert not told(judged(states, control, tmp_path, blind), control)
    assert not missed, missed[0]
    assert not alarms, alarms[0]
    all_tries = n * len(FAULTS)
    figure(
        "6, 8, 10", "audit: planted faults not told with check and place", len(missed), all_tries
    )
    figure("6, 8, 10", "audit: alarms on what is nearly a fault", len(alarms), all_tries)


# A run that the audit stops -----------------------------------------------------------------------------


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A published study of which a center has twelve responses; the judge works in this process."""

    lenient_runs.judge_here(monkeypatch)
    if not FULL:  # the audit asks nothing of the alternative settings
        monkeypatch.setattr(alternatives, "add_alternatives", lambda con, study: None)
    root = small_study.make_study(tmp_path / "study", ("BB02", "CC03"))
    (root / "centers" / "AA01.yaml").write_text(small_study.spec("AA01"), encoding="utf-8")
    small_study.deliver(root, "AA01", "2024-06-14", patients=9)
    plan_one_table(root)
    results.warm_up_judge()
    return root


def run(root: Path) -> RunOutcome:
    return run_study(RunRequest(str(root), report=False), Silent())


def test_a_stop_keeps_the_published_state_says_where_and_can_be_accepted(
    study: Path, figure: Record
) -> None:
    first = run(study)
    assert first.state == PUBLISHED
    warehouse = study / "published" / "warehouse.duckdb"
    stood = hashlib.sha256(warehouse.read_bytes()).hexdigest()
    page = (study / "published" / "quality" / "audit.html").read_bytes()
    spec = study / "centers" / "AA01.yaml"
    right = spec.read_text(encoding="utf-8")
    # The wrong column: no category of a response can be read.
    spec.write_text(right.replace("category: category", "category: response_date"), "utf-8")
    settings = study / "study.yaml"

    stopped = run(study)

    bad = int(stopped.state != AUDIT_STOPPED or stopped.exit_code != 3)
    bad += hashlib.sha256(warehouse.read_bytes()).hexdigest() != stood
    bad += (study / "published" / "quality" / "audit.html").read_bytes() != page
    text = "\n".join(stopped.messages)
    assert any("AUD-26" in w and "(AA01 response.category)" in w for w in stopped.warnings)
    bad += "AUD-23 Rows against what was published before: 1 of" not in text
    bad += "(AA01 response)" not in text or "warn_only: [AUD-23]" not in text
    figure("8", "audit: a stop that changed what is published, or did not say where", bad, 5)

    with settings.open("a", encoding="utf-8") as file:
        file.write("audit: {warn_only: [AUD-23]}\n")
    accepted = run(study)
    assert accepted.state == PUBLISHED
    assert any(text.startswith("AUD-23") for text in accepted.warnings)

    with duckdb.connect(str(warehouse), read_only=True) as con:
        recorded = con.execute(
            "select d.center_id, c.severity, c.outcome, c.numerator from quality.check_run c "
            "join quality.delivery d using (delivery_key) where c.rule_id = 'AUD-23' and c.\"table\" = 'response' "
            "and c.outcome = 'failed'"
        ).fetchall()
    assert recorded == [("AA01", "warn", "failed", 1)]
    again = rebuild(study, accepted.load_id or 0)
    figure(
        "12, 16",
        "audit: a state built again with other results of the audit",
        int(not again.same or bool(again.standing)),
        1,
    )


# The page ------------------------------------------------------------------------------------------------


output = load_module(Path(__file__).with_name("test_trust_output.py"), "output_of_audit_tests")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    opened = output.scorecards.Browser(tmp_path_factory.mktemp("browser"))
    yield opened
    opened.close()


def data_docs(folder: Path, values: list[str]) -> list[Path]:
    """The site that Great Expectations itself makes of a column with these values."""
    import pandas as pd

    gx = great_expectations()
    context = new_context()
    store = {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder)}
    site = {"class_name": "SiteBuilder", "store_backend": store}
    context.add_data_docs_site("site", site)
    asset = context.data_sources.add_pandas("frames").add_dataframe_asset("frame")
    batch = asset.add_batch_definition_whole_dataframe("all")
    suite = context.suites.add(gx.ExpectationSuite("suite"))
    suite.add_expectation(
        gx.expectations.ExpectColumnValuesToBeInSet(column="text", value_set=["a"])
    )
    validation = context.validation_definitions.add(
        gx.ValidationDefinition(name="validation", data=batch, suite=suite)
    )
    update = gx.checkpoint.UpdateDataDocsAction(name="docs", site_names=["site"])
    checkpoint = gx.Checkpoint(
        name="checkpoint",
        validation_definitions=[validation],
        actions=[update],
        result_format={"result_format": "COMPLETE"},
    )
    checkpoint.run(batch_parameters={"dataframe": pd.DataFrame({"text": values})})
    return [path for path in folder.rglob("*.html") if path.stem != "index"]


def seen(browser: Any, page: Path, patience: float = 10.0) -> int:
    """Scripts that ran, elements that fetch, handlers, and requests to elsewhere."""
    with suppress(AssertionError):  # a page that waits for other hosts is never complete
        browser.open(page, patience)
    bad = int(browser.run("document.title") == "ran")
    bad += int(
        browser.run("document.querySelectorAll('img, iframe, link, base, object, script').length")
    )
    bad += len([url for url in browser.asked if not url.startswith("file:")])
    return bad


@pytest.mark.browser
def test_the_page_of_the_audit_runs_and_fetches_nothing_where_data_docs_do(
    browser: Any, tmp_path: Path, figure: Record
) -> None:
    payloads = list(output.SCRIPTS)
    names = ["center_id", *payloads]
    frame = {"columns": names, "rows": [payloads] * 2, "n_more": 0}
    item = {
        "type": payloads[0],
        "severity": "stop",
        "success": False,
        "ran": True,
        "observed": payloads[3],
    }
    checks = [
        {
            "id": f"AUD-{n}", "suite": ("center", "study")[n % 2], "title": text, "sentence": text,
            "rows": 2, "expectations": [{**item, "observed": text}], "lines": frame,
        }
        for n, text in enumerate(payloads)
    ]  # fmt: skip
    suites = [
        {
            "name": one["id"],
            "expectations": [
                {"type": one["title"], "kwargs": {"column": one["title"]}, "severity": "critical"}
            ],
            "meta": {"suite": one["suite"], "sql": one["title"], "limits": {str(one["title"]): 1}},
        }
        for one in checks
    ]
    results = {
        "suite": "s", "passed": False, "great_expectations": payloads[0], "compared_with": None,
        "n_expectations": 1, "n_critical_failures": 1, "n_warnings": 0, "checks": checks,
    }  # fmt: skip
    page = write_results(
        AuditResult(False, tuple(payloads), tuple(payloads), results, suites), tmp_path
    )
    bad = seen(browser, page)
    assert output.RAN in browser.run("document.body.textContent")

    # The control: the library's own site of the same texts, which is why it is not written.
    control = sum(seen(browser, one, 2.0) for one in data_docs(tmp_path / "docs", ["a", *payloads]))
    assert control > 0
    figure("49", "audit's page: scripts run, things fetched", bad, len(payloads))


def test_nothing_that_the_audit_writes_holds_a_value_of_a_patient(
    states: States, tmp_path: Path, figure: Record
) -> None:
    path = tmp_path / "marked.duckdb"
    shutil.copyfile(states.warehouse, path)
    con = duckdb.connect(str(path))
    texts = con.execute(
        "select schema_name, table_name, column_name from duckdb_columns() where schema_name in ('core', 'analysis') "
        "and data_type = 'VARCHAR' and not ends_with(column_name, 'FL') and column_name not in ('BESTRESP', 'display', 'row', 'level', 'statistic', 'method', 'PARAMCD', "
        "'paramcd', 'population', 'endpoint', 'ANALYSIS', 'GRP4', 'SITEID', 'reason', 'variable')"
        " and (schema_name, table_name) in (select (schema_name, table_name) from duckdb_tables())"
    ).fetchall()
    for schema, table, column in texts:
        con.execute(
            f'update {schema}.{table} set "{column}" = \'MARKED \' || "{column}"'
        ).fetchall()
    con.execute("update analysis.adsl set GRP4N = 9, CARTDTF = 'M'").fetchall()
    con.close()
    result = audit(path, before=states.before)
    write_results(result, tmp_path / "quality")
    written = [p for p in (tmp_path / "quality").rglob("*") if p.is_file()]
    found = sum(p.read_text(encoding="utf-8").count("MARKED") for p in written)
    found += json.dumps([result.critical_failures, result.warnings, result.check_runs]).count(
        "MARKED"
    )

    assert not result.passed  # the control: lines of frames were written
    assert any(one["lines"] for one in result.results["checks"])
    figure("34, 47", "audit: values of patients in what it writes", found, len(texts))
