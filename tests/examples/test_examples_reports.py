"""The agents of the reports, run as the engine runs them, and the data that they read."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from patience import PATIENCE

REPORTS = Path(__file__).parents[2] / "examples" / "reports"
FIGURES = "Region: emea\nQuarter: q1\nYear: 2025\nEdition: draft\nTone: {tone}\nRevenue: 1234567\nUnits: 1200\n"
MORE = "Best product: tent\nShare of the year: 25.0% of 4938268\n"


@pytest.fixture
def run_agent(tmp_path):
    """Run an agent on a prompt, with files and a context in its task."""

    def run(agent, prompt, *, files=(), context=None):
        task = tmp_path / "task.json"
        written = {"input": {"text": prompt, "files": [str(file) for file in files]}, "additional_context": context}
        task.write_text(json.dumps(written), encoding="utf-8")
        return subprocess.run(
            [sys.executable, "-B", f"agents/{agent}.py"],
            cwd=REPORTS,
            env={"TASKSPEC_TASK_FILE": str(task), "PYTHONUTF8": "1"},
            input=prompt,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    return run


@pytest.fixture
def sales(tmp_path):
    """Write a file of sales with one row for each month of a year, and what is given after them."""

    def write(*rows):
        months = [f"2025-{month:02},tent,1,{month}," for month in range(1, 13)]
        file = tmp_path / "emea.csv"
        file.write_text("\n".join(["month,product,units,revenue,note", *months, *rows, ""]), encoding="utf-8")
        return file

    return write


def test_the_maker_writes_the_committed_files_byte_for_byte(tmp_path):
    maker = tmp_path / "make_sales.py"
    maker.write_bytes((REPORTS / "data" / "make_sales.py").read_bytes())
    subprocess.run([sys.executable, str(maker)], check=True, timeout=PATIENCE)
    made = sorted(path.name for path in tmp_path.glob("*.csv"))
    assert made == ["amer.csv", "apac.csv", "emea.csv"]
    for name in made:
        assert (tmp_path / name).read_bytes() == (REPORTS / "data" / name).read_bytes()


def test_the_analyst_sums_the_year_by_quarter_and_names_what_sold_best(run_agent, sales):
    file = sales("2025-05,stove,7,100,", "2024-05,boots,99,9900,")
    figures = json.loads(run_agent("analyst", "Region: emea\nYear: 2025\n", files=[file]).stdout)
    assert [quarter["revenue"] for quarter in figures["quarters"].values()] == [6, 115, 24, 33]
    assert figures["quarters"]["q2"] == {"revenue": 115, "units": 10, "best": "stove"}
    assert figures["revenue"] == 178


@pytest.mark.parametrize(
    ("tone", "opening"), [("plain", "EMEA sold 1,200 pieces"), ("formal", "In Q1, the region EMEA")]
)
def test_the_writer_words_a_page_in_a_tone_and_ends_it_as_the_style_says(run_agent, tone, opening):
    page = run_agent("writer", FIGURES.format(tone=tone) + MORE, context="- The last line: As booked.\n").stdout
    heading, first, best, last = page.strip().split("\n\n")
    assert heading == "# EMEA: Q1 2025 (draft)"
    assert first.startswith(opening)
    assert "€1,234,567" in first
    assert "25.0% of the year" in first
    assert (best, last) == ("What sold best: tent.", "As booked.")


def test_the_editor_takes_the_first_sentence_of_each_page(run_agent):
    prompt = "Year: 2025\nEdition: final\n\nPage: emea q1\n# A\n\nOne.\n\nMore.\n\nPage: apac q1\n# B\n\nTwo.\n"
    assert run_agent("editor", prompt).stdout == (
        "# 2025 in one page (final)\n\n## EMEA\n\n- Q1: One.\n\n## APAC\n\n- Q1: Two.\n"
    )


@pytest.mark.parametrize(
    ("agent", "prompt", "sentence"),
    [
        ("analyst", "Region: emea\n", "The prompt has no line `Year: …`."),
        ("analyst", "Region: emea\nYear: soon\n", "`Year` must be a whole number, not 'soon'."),
        ("analyst", "Region: emea\nYear: 2024\n", "There are no sales of Q1 2024 in emea."),
        ("writer", FIGURES.format(tone="rude") + MORE, "`Tone` must be one of plain, formal, not 'rude'."),
        ("editor", "Year: 2025\nEdition: final\n", "The prompt holds no page."),
        ("editor", "Year: 2025\n\nPage: emea q1\n# Only a heading\n", "The page on emea q1 is empty."),
        ("clerk", "Contact: Ada\n", "The prompt has no line `Year: …`."),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_exit_code_2(run_agent, sales, agent, prompt, sentence):
    done = run_agent(agent, prompt, files=[sales()])
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"{sentence}\n")


def test_a_row_that_is_no_sale_is_named_with_its_line(run_agent, sales):
    done = run_agent("analyst", "Region: emea\nYear: 2025\n", files=[sales("2025-05,tent,many,1,")])
    assert (done.returncode, done.stderr) == (2, "Line 14 of emea.csv is no row of sales.\n")
