"""The quickstart's agents, run as the engine runs them: prompt on standard input, task in a file, answer on output."""

import csv
import json
import subprocess
import sys
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest
from patience import PATIENCE

QUICKSTART = Path(__file__).parents[2] / "examples" / "quickstart"
SALES = QUICKSTART / "data" / "sales.csv"


@pytest.fixture
def run_agent(tmp_path: Path):
    """Run an agent on a file with the minimal environment that the engine gives."""

    def run(agent: str, prompt: str, file: Path = SALES, environ: Mapping[str, str] | None = None):
        task = tmp_path / "task.json"
        task.write_text(json.dumps({"input": {"text": prompt, "files": [str(file)]}}), encoding="utf-8")
        return subprocess.run(
            [sys.executable, "-B", f"agents/{agent}.py"],
            cwd=QUICKSTART,
            env={"TASKSPEC_TASK_FILE": str(task), **(environ or {})},
            input=prompt,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    return run


@pytest.fixture
def small_file(tmp_path: Path):
    """Write a sales file with the rows given."""

    def write(*rows: str) -> Path:
        file = tmp_path / "small.csv"
        file.write_text("\n".join(["month,region,channel,product,units,revenue", *rows, ""]), encoding="utf-8")
        return file

    return write


def test_the_generator_writes_the_committed_file_byte_for_byte(tmp_path):
    maker = tmp_path / "make_sales.py"
    maker.write_bytes((QUICKSTART / "data" / "make_sales.py").read_bytes())
    subprocess.run([sys.executable, str(maker)], check=True, timeout=PATIENCE)
    assert (tmp_path / "sales.csv").read_bytes() == SALES.read_bytes()


@pytest.mark.parametrize(("region", "year"), [("emea", 2025), ("apac", 2023)])
def test_the_totals_are_those_of_the_file(run_agent, region, year):
    with SALES.open(encoding="utf-8", newline="") as file:
        chosen = [r for r in csv.DictReader(file) if r["region"] == region and r["month"].startswith(str(year))]
    result = json.loads(run_agent("analyst", f"Region: {region}\nYear: {year}\n").stdout)
    assert (result["region"], result["year"], len(result["months"])) == (region, year, 12)
    assert result["revenue"] == float(sum(Decimal(row["revenue"]) for row in chosen))
    assert result["units"] == sum(int(row["units"]) for row in chosen)
    assert result["returned"] == -sum(int(row["units"]) for row in chosen if int(row["units"]) < 0) > 0


def test_returns_are_taken_from_the_month_they_stand_in(run_agent, small_file):
    file = small_file(
        "2025-01,emea,web,tent,4,400.00", "2025-01,emea,web,tent,-3,-300.00", "2025-02,emea,web,tent,2,200.00"
    )
    result = json.loads(run_agent("analyst", "Region: emea\nYear: 2025\n", file).stdout)
    assert result["months"][0] == {"month": "2025-01", "units": 1, "returned": 3, "revenue": 100.0}
    assert result["bestMonth"] == "2025-02"


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        ("emea", [("2025-09", "backpack"), ("2025-08", "boots")]),
        ("apac", [("2025-05", "water-filter")]),
        ("amer", [("2025-10", "trekking-poles"), ("2025-02", "stove")]),
    ],
)
def test_the_auditor_finds_exactly_the_months_that_were_tampered_with(run_agent, region, expected):
    result = json.loads(run_agent("auditor", f"Region: {region}\nYear: 2025\nThreshold: 8\n").stdout)
    assert [(found["month"], found["product"]) for found in result["outliers"]] == expected


def test_a_lower_threshold_finds_more(run_agent):
    counts = [
        len(json.loads(run_agent("auditor", f"Region: emea\nYear: 2025\nThreshold: {n}\n").stdout)["outliers"])
        for n in (8, 1.5)
    ]
    assert counts[0] < counts[1]


def test_the_auditor_streams_its_thoughts_where_it_is_given_a_channel(run_agent, tmp_path):
    channel = tmp_path / "events.jsonl"
    prompt = "Region: emea\nYear: 2025\nThreshold: 8\n"
    with_channel = run_agent("auditor", prompt, environ={"TASKSPEC_EVENTS": str(channel)})
    events = [json.loads(line) for line in channel.read_text(encoding="utf-8").splitlines()]
    assert [event["type"] for event in events] == ["think"] * 3
    assert all(event["data"]["title"] and event["data"]["thought"] for event in events)
    assert with_channel.stdout == run_agent("auditor", prompt).stdout


def test_growth_is_computed_against_the_year_before(run_agent, small_file):
    file = small_file(
        "2024-05,emea,web,tent,1,100.00",
        "2024-05,emea,store,boots,1,200.00",
        "2025-05,emea,web,tent,1,150.00",
        "2025-05,emea,store,boots,1,180.00",
        "2025-05,apac,web,tent,9,999.00",
    )
    page = run_agent("reporter", "Report: growth\nRegion: emea\nYear: 2025\nChannels: store, web\n", file).stdout
    assert "| tent | 100 | 150 | +50.0% |" in page
    assert "| boots | 200 | 180 | -10.0% |" in page
    assert "from 300 to 330 (+10.0%)" in page


def test_a_report_covers_only_the_channels_that_the_prompt_names(run_agent, small_file):
    file = small_file("2025-05,emea,web,tent,1,150.00", "2025-11,apac,store,tent,1,999.00")
    page = run_agent("reporter", "Report: regions\nYear: 2025\nChannels: web\n", file).stdout
    assert "| emea | 0 | 150 | 0 | 0 | 150 | 100.0% |" in page
    assert "apac" not in page


@pytest.mark.parametrize(
    ("agent", "prompt", "sentence"),
    [
        ("analyst", "Region: mars\nYear: 2025\n", "the region 'mars'; the file has amer, apac, emea."),
        ("analyst", "Region: emea\nYear: 1999\n", "no sales of 1999; the file has 2023, 2024, 2025."),
        ("analyst", "Region: emea\nYear: soon\n", "`Year` must be a whole number, not 'soon'."),
        ("analyst", "Year: 2025\n", "The prompt has no line `Region: …`."),
        ("auditor", "Region: emea\nYear: 2025\nThreshold: 0\n", "`Threshold` must be above zero"),
        ("auditor", "Region: emea\nYear: 1999\nThreshold: 8\n", "no sales of 1999"),
        ("reporter", "Report: weather\n", "`Report` must be one of growth, regions, not 'weather'."),
        ("reporter", "Report: regions\nYear: 2025\nChannels: fax\n", "The channel 'fax' has no sales"),
        ("reporter", "Report: growth\nRegion: emea\nYear: 2023\nChannels: web\n", "no sales of 2022"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_exit_code_2(run_agent, agent, prompt, sentence):
    done = run_agent(agent, prompt, environ={"PYTHONUTF8": "1"})
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "row", ["2025-13,emea,web,tent,1,1.00", "2025-01,emea,web,tent,one,1.00", "2025-01,emea,web,tent,1"]
)
def test_a_row_that_is_no_sale_is_named_with_its_line(run_agent, small_file, row):
    done = run_agent("analyst", "Region: emea\nYear: 2025\n", small_file("2025-01,emea,web,tent,1,1.00", row))
    assert done.returncode == 2
    assert done.stderr == f"small.csv:3 is not a row of sales: {row}\n"
