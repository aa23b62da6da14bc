"""The example of a real size, through the command line: twelve reports in two environments, and who runs again when."""

import json
import shutil
import signal
from pathlib import Path

import pytest
from scenario_workspaces import Workspace

from taskspec.contracts import Contract, load_schema

REPORTS = Path(__file__).parents[2] / "examples" / "reports"
REGIONS = ["amer", "apac", "emea"]
QUARTERS = ["q1", "q2", "q3", "q4"]
EXTRACTS = [f"extract[{region}]" for region in REGIONS]
PAGES = [f"report[{region},{quarter}]" for region in REGIONS for quarter in QUARTERS]
LETTERS = [f"letter[{name}]" for name in ("alpine-club", "harbour-store", "north-trail", "river-guides")]
ALL = [*EXTRACTS, *PAGES, "summary", *LETTERS]
EMEA = [f"report[emea,{quarter}]" for quarter in QUARTERS]
STAGING = ("--env", "staging")
PROD = ("--env", "prod")


@pytest.fixture(scope="module")
def staged_once(tmp_path_factory):
    """The example after its first apply to staging: made once, and copied for each test."""
    folder = tmp_path_factory.mktemp("reports")
    made = Workspace(folder / "project", folder / "cache")
    made.copy(REPORTS)
    done = made.apply(*STAGING, "--json")
    assert done.code == 0, done
    assert sorted(started(done)) == sorted(ALL)
    return made


@pytest.fixture
def staged(workspace, staged_once):
    shutil.copytree(staged_once.folder, workspace.folder, dirs_exist_ok=True)
    return workspace


@pytest.fixture
def reports(workspace):
    """The example, as a newcomer finds it."""
    workspace.copy(REPORTS)
    return workspace


def started(done):
    """Return the addresses that an apply started runs of, in order."""
    return [event["address"] for event in done.events if event["event"] == "RunCreated"]


def edit(workspace, file, old, new):
    path = workspace.folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def a_line_of(workspace, file, begins):
    return next(line for line in workspace.lines(file) if line.startswith(begins))


def changes(done):
    return {change["address"]: change for change in done.json["changes"]}


def test_both_environments_are_valid_and_plan_the_same_tasks(reports):
    assert reports.taskspec("validate").out == "20 tasks in reports: valid.\n"
    for environment in (STAGING, PROD):
        assert reports.taskspec("validate", *environment).code == 0
        planned = changes(reports.taskspec("plan", "--json", *environment))
        assert list(planned) == ALL
        assert {change["action"] for change in planned.values()} == {"create"}
        assert [address for address, change in planned.items() if not change["conditional"]] == EXTRACTS
        assert reports.taskspec("plan", "--detailed-exitcode", *environment).code == 2


def test_results_of_an_environment_have_a_folder_of_their_own(staged):
    folder = staged.folder / "results" / "staging"
    written = {path.name for path in folder.iterdir()}
    contract = Contract(load_schema("provenance.v1"))
    for path in folder.glob("*.provenance.json"):
        assert not contract.violations(json.loads(path.read_text("utf-8"))), path
    assert {name.partition("]")[0] for name in written if name.startswith("report")} == {
        page.removesuffix("]") for page in PAGES
    }
    assert [path.name for path in (staged.folder / "results").iterdir()] == ["staging"]
    summary = staged.result("staging/summary.md")
    assert [line for line in summary.splitlines() if line.startswith("## ")] == ["## AMER", "## APAC", "## EMEA"]
    assert summary.count("- Q") == 12
    assert summary.startswith("# 2025 in one page (draft)")
    assert summary.endswith("Figures as booked, not audited.")


def test_a_report_holds_the_figures_of_its_own_quarter(staged):
    for region in REGIONS:
        figures = json.loads(staged.result(f"staging/extract[{region}].json"))
        for quarter in QUARTERS:
            page = staged.result(f"staging/report[{region},{quarter}].md")
            assert f"€{figures['quarters'][quarter]['revenue']:,} in {quarter.upper()}" in page


def test_a_second_plan_has_nothing_to_do(staged):
    planned = staged.taskspec("plan", "--detailed-exitcode", *STAGING)
    assert planned.code == 0
    assert planned.out.startswith("Nothing is to be done.")
    assert started(staged.apply("--json", *STAGING)) == []


def test_environments_know_nothing_of_each_other(staged):
    assert staged.taskspec("plan", "--detailed-exitcode", *PROD).code == 2
    before = staged.result("staging/summary.md")
    done = staged.apply("--json", *PROD)
    assert done.code == 0, done
    assert sorted(started(done)) == sorted(ALL)
    assert staged.result("staging/summary.md") == before
    produced = staged.result("prod/report[emea,q1].md")
    assert produced.startswith("# EMEA: Q1 2025 (final)")
    assert "the region EMEA achieved" in produced
    for environment in (STAGING, PROD):
        assert staged.taskspec("plan", "--detailed-exitcode", *environment).code == 0


def test_one_figure_leads_to_its_extract_its_reports_and_the_summary(staged):
    edit(staged, "data/emea.csv", a_line_of(staged, "data/emea.csv", "2025-02,boots"), "2025-02,boots,99,15741,")
    planned = changes(staged.taskspec("plan", "--json", *STAGING))
    certain = [address for address, change in planned.items() if change["paid"] and not change["conditional"]]
    assert certain == ["extract[emea]"]
    assert {address for address, change in planned.items() if change["conditional"]} == {*EMEA, "summary"}
    done = staged.apply("--json", *STAGING)
    assert done.code == 0, done
    assert sorted(started(done)) == ["extract[emea]", *EMEA, "summary"]
    assert started(done)[0] == "extract[emea]"
    assert started(done)[-1] == "summary"
    assert staged.taskspec("plan", "--detailed-exitcode", *STAGING).code == 0


@pytest.mark.parametrize(
    ("begins", "line"),
    [("2024-02,boots", "2024-02,boots,1,159,corrected"), ("2025-11,headlamp", None)],
    ids=["a figure of another year", "a note"],
)
def test_what_an_extract_does_not_use_leads_to_no_report(staged, begins, line):
    old = a_line_of(staged, "data/emea.csv", begins)
    edit(staged, "data/emea.csv", old, line or old.replace("storm warnings", "a storm"))
    done = staged.apply("--json", *STAGING)
    assert done.code == 0, done
    assert started(done) == ["extract[emea]"]
    assert staged.taskspec("plan", "--detailed-exitcode", *STAGING).code == 0


def test_the_house_style_leads_to_all_pages_and_to_nothing_else(staged):
    edit(staged, "context/house-style.md", "booked, not audited", "booked")
    done = staged.apply("--json", *STAGING)
    assert done.code == 0, done
    assert sorted(started(done)) == [*PAGES, "summary"]
    assert staged.result("staging/report[apac,q2].md").endswith("Figures as booked.")


def test_another_customer_is_one_letter_more(staged):
    with (staged.folder / "data/customers.csv").open("a", encoding="utf-8") as file:
        file.write("valley-hut,Valley Hut,Alan Moor\n")
    done = staged.apply("--json", *STAGING)
    assert started(done) == ["letter[valley-hut]"]
    assert staged.result("staging/letter[valley-hut].txt").startswith("Dear Alan Moor,")


def test_another_region_is_an_extract_and_four_reports_more(staged):
    shutil.copy(staged.folder / "data/emea.csv", staged.folder / "data/mena.csv")
    done = staged.apply("--json", *STAGING, "--var", "regions=amer,apac,emea,mena")
    assert done.code == 0, done
    assert sorted(started(done)) == ["extract[mena]", *(f"report[mena,{q}]" for q in QUARTERS), "summary"]


def test_production_starts_no_more_than_it_may(reports):
    shutil.copy(reports.folder / "data/emea.csv", reports.folder / "data/mena.csv")
    wider = ("--var", "regions=amer,apac,emea,mena")
    for command in (["plan"], ["apply", "--yes"]):
        refused = reports.taskspec(*command, *PROD, *wider)
        assert refused.code == 6, refused
        assert "maxCreate" in refused.out + refused.err
    assert not (reports.folder / "results").exists()
    assert reports.taskspec("plan", *STAGING, *wider).code == 0


def test_another_assertion_judges_the_kept_reports_again_and_starts_nothing(staged):
    edit(staged, "tasks/pages.yaml", "maxLength: 2000", "maxLength: 50")
    planned = changes(staged.taskspec("plan", "--json", *STAGING))
    assert [address for address, change in planned.items() if change["action"] == "rejudge"] == PAGES
    rejected = staged.apply("--json", *STAGING)
    assert (rejected.code, started(rejected)) == (3, [])
    assert not list((staged.folder / "results/staging").glob("report*.md"))
    edit(staged, "tasks/pages.yaml", "maxLength: 50", "maxLength: 2000")
    accepted = staged.apply("--json", *STAGING)
    assert (accepted.code, started(accepted)) == (0, [])
    assert len(list((staged.folder / "results/staging").glob("report*.md"))) == 12


def test_a_failed_extract_blocks_what_needs_it_and_nothing_else(reports):
    kept = [line for line in reports.lines("data/apac.csv") if not line.startswith("2025-1")]
    reports.write("data/apac.csv", "\n".join([*kept, ""]))
    done = reports.apply("--json", *STAGING)
    assert done.code == 3, done
    free = [address for address in [*EXTRACTS, *PAGES] if "apac" not in address]
    assert sorted(started(done)) == sorted([*free, "extract[apac]"])
    written = {path.name for path in (reports.folder / "results/staging").glob("*.md")}
    assert written == {f"{address}.md" for address in free if address.startswith("report")}
    planned = reports.taskspec("plan", "--json", *STAGING)
    assert planned.code == 3
    blocked = {address for address, change in changes(planned).items() if change["action"] == "blocked"}
    assert blocked == {*(page for page in PAGES if "apac" in page), "summary", *LETTERS}
    shutil.copy(REPORTS / "data" / "apac.csv", reports.folder / "data" / "apac.csv")
    mended = reports.apply("--json", *STAGING)
    assert mended.code == 0, mended
    assert sorted(started(mended)) == sorted({"extract[apac]", *blocked})


def test_a_killed_apply_is_resumed_and_nothing_is_paid_twice(reports):
    editor = reports.folder / "agents/editor.py"
    whole = editor.read_text(encoding="utf-8")
    reports.write("agents/editor.py", "import pathlib, time\npathlib.Path('begun').touch()\ntime.sleep(600)\n")
    running = reports.start("apply", "--yes", "--json", *STAGING)
    reports.until((reports.folder / "begun").exists)
    running.signal(signal.SIGKILL)
    broken = running.wait()
    assert sorted(started(broken)) == sorted([*EXTRACTS, *PAGES, "summary"])
    reports.write("agents/editor.py", whole)
    done = reports.apply("--json", *STAGING)
    assert done.code == 0, done
    assert sorted(started(done)) == sorted(["summary", *LETTERS])
    standing = {task["address"]: task for task in reports.taskspec("status", "--json", *STAGING).json["tasks"]}
    assert {address: task["attempt"] for address, task in standing.items()} == {
        address: 2 if address == "summary" else 1 for address in ALL
    }
    assert {task["verdict"] for task in standing.values()} == {"accepted"}


@pytest.mark.parametrize("given", ["edition=latest", "tone=rude", "year=2019"])
def test_a_value_that_a_variable_does_not_take_is_refused(reports, given):
    refused = reports.taskspec("plan", "--var", given)
    assert refused.code == 1
    assert given.partition("=")[0] in refused.err
    assert not (reports.folder / ".taskspec/default/state.db").exists()


def test_an_unknown_environment_is_refused_with_the_nearest(reports):
    refused = reports.taskspec("plan", "--env", "stagin")
    assert refused.code != 0
    assert "staging" in refused.err
