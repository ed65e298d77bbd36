"""``veilleuse calendar import``: shown first, written when told to, and nothing at all from a source that is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from config.load import check_site
from config.starter import example_directory
from controller.cli import cli
from tests.config.imports.test_school import AUTUMN, HEADER, LILLE, MORNINGS, WINTER, school

TABLE = """id;start;end;label;place
7;24/11/2026 18:30;24/11/2026 22:00;Conseil;Mairie
8;05/12/2026 20:00;06/12/2026 02:00;Bal;Salle des fêtes
"""
MEETINGS = ("calendar", "import", "meetings", "salle.csv", "--to", "reunions.csv", "--from", "2026-11-01")


def run(*words: object, given: str | bytes | None = None) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words], input=given)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "salle.csv").write_text(TABLE, encoding="utf-8")
    return tmp_path


def test_first_it_only_shows(here: Path) -> None:
    result = run(*MEETINGS)
    assert result.exit_code == 0
    assert result.stdout == (
        "+ 2026-11-24,2026-11-24,18:30-22:00,Conseil,open,8,salle.csv: 7\n"
        "+ 2026-12-05,2026-12-05,20:00-02:00,Bal,open,8,salle.csv: 8\n"
        "~ valid_until: not said -> 2026-12-05\n"
        "reunions.csv: 2 added, 0 removed, 0 changed, 0 as before; --write writes it\n"
    )
    assert not (here / "reunions.csv").exists()


@pytest.mark.parametrize(
    ("words", "header", "complaint"),
    [
        (MEETINGS[2:4], "start,end,label,source\n2026-12-25,2026-12-25,Noël,L3133-1\n", "is a calendar, not a file of"),
        (("public-holidays", "FR"), "start,hours,label\n2026-12-24,18:00-20:00,Bal\n", "is a file of exceptions"),
    ],
)
def test_a_file_of_the_other_kind_is_left_alone(
    here: Path, words: tuple[str, ...], header: str, complaint: str
) -> None:
    file = here / "feries.csv"
    file.write_text(f"# ours\n{header}", encoding="utf-8")
    result = run("calendar", "import", *words, "--to", "feries.csv", "--write")
    assert result.exit_code == 1
    assert complaint in result.stderr
    assert file.read_text(encoding="utf-8") == f"# ours\n{header}"


def test_then_it_writes_a_file_to_review(here: Path) -> None:
    assert run(*MEETINGS, "--until", "2027-06-30", "--write").exit_code == 0
    lines = (here / "reunions.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("# imported: meetings from salle.csv on 2")
    assert lines[1:] == [
        "# valid_until: 2027-06-30",
        "start,end,hours,label,state,priority,source",
        "2026-11-24,2026-11-24,18:30-22:00,Conseil,open,8,salle.csv: 7",
        "2026-12-05,2026-12-05,20:00-02:00,Bal,open,8,salle.csv: 8",
    ]
    assert {path.name for path in here.iterdir()} == {"salle.csv", "reunions.csv"}, "nothing is left beside it"
    again = run(*MEETINGS, "--until", "2027-06-30")
    assert again.stdout == "reunions.csv: 0 added, 0 removed, 0 changed, 2 as before\n"


def test_what_an_operator_wrote_is_in_the_difference(here: Path) -> None:
    (here / "reunions.csv").write_text(
        "# our own words\n# valid_until: 2026-12-31\nstart,end,hours,label,source\n"
        "2026-01-15,,18:00-20:00,Voeux,mairie\n"
        "2026-11-24,,18:00-22:00,Conseil,salle.csv: 7\n"
        "2026-11-30,,,Loto,mairie\n",
        encoding="utf-8",
    )
    result = run(*MEETINGS, "--write")
    assert result.stdout.splitlines() == [
        "~- 2026-11-24,2026-11-24,18:00-22:00,Conseil,open,8,salle.csv: 7",
        "~+ 2026-11-24,2026-11-24,18:30-22:00,Conseil,open,8,salle.csv: 7",
        "- 2026-11-30,2026-11-30,,Loto,open,8,mairie",
        "+ 2026-12-05,2026-12-05,20:00-02:00,Bal,open,8,salle.csv: 8",
        "~ valid_until: 2026-12-31 -> 2026-12-05",
        "reunions.csv: 1 added, 1 removed, 1 changed, 1 as before; written. Next: veilleuse check",
    ]
    text = (here / "reunions.csv").read_text(encoding="utf-8")
    assert text.startswith("# our own words\n# imported: ")
    assert "2026-01-15,2026-01-15,18:00-20:00,Voeux,open,8,mairie\n" in text, "what was stays"


def test_without_a_first_day_what_was_before_today_stays(here: Path) -> None:
    table = "start,end,hours,label,source\n2020-01-15,,18:00-20:00,Voeux,mairie\n"
    (here / "reunions.csv").write_text(table, encoding="utf-8")
    (here / "salle.csv").write_text("start;end;label\n01/12/2099 20:00;22:00;Bal\n", encoding="utf-8")
    facts = json.loads(run(*MEETINGS[:6], "--until", "2100-01-01", "--json").stdout)
    assert (len(facts["added"]), facts["removed"], facts["unchanged"]) == (1, [], 1)


def test_whole_days_of_a_table_get_the_hours_that_are_given(here: Path) -> None:
    (here / "salle.csv").write_text("start;end;label\n01/12/2026;;Bal\n", encoding="utf-8")
    assert 'salle.csv:2:1: warning: "Bal" on 2026-12-01 is all day' in run(*MEETINGS).stderr
    assert "+ 2026-12-01,2026-12-01,09:00-18:00,Bal,open," in run(*MEETINGS, "--all-day", "09:00-18:00").stdout


def test_json(here: Path) -> None:
    facts = json.loads(run(*MEETINGS, "--json", "--priority", "11").stdout)
    assert (facts["kind"], facts["written"], facts["valid_until"]) == ("meetings", False, "2026-12-05")
    assert facts["added"][0] == {
        "start": "2026-11-24", "end": "2026-11-24", "hours": "18:30-22:00", "label": "Conseil", "state": "open",
        "priority": "11", "source": "salle.csv: 7",
    }  # fmt: skip
    assert (facts["removed"], facts["changed"], facts["unchanged"], facts["problems"]) == ([], [], 0, [])


def test_a_source_that_is_wrong_changes_nothing(here: Path) -> None:
    (here / "salle.csv").write_text(TABLE + "9;never;;x;\n10;30/02/2027;;x;\n", encoding="utf-8")
    result = run(*MEETINGS, "--write")
    assert result.exit_code == 1
    assert result.stdout == ""
    first, second, last = result.stderr.splitlines()
    assert first.startswith('salle.csv:4:1: error: "never" is neither a day')
    assert second.startswith('salle.csv:5:1: error: "30/02/2027" is no day')
    assert last == "nothing was written"
    assert not (here / "reunions.csv").exists()
    facts = json.loads(run(*MEETINGS, "--write", "--json").stdout)
    assert (facts["written"], [problem["line"] for problem in facts["problems"]]) == (False, [4, 5])


def test_a_file_that_cannot_be_read_is_not_replaced(here: Path) -> None:
    (here / "reunions.csv").write_text("when;what\n", encoding="utf-8")
    result = run(*MEETINGS, "--write")
    assert result.exit_code == 1
    assert 'reunions.csv:1:1: error: unknown column "when"' in result.stderr
    assert (here / "reunions.csv").read_text(encoding="utf-8") == "when;what\n"


def test_windows_text_from_stdin(here: Path) -> None:
    words = ["calendar", "import", "meetings", "-", "--to", "r.csv", "--from", "2026-11-01", "--write"]
    assert run(*words, given=TABLE.encode("cp1252")).exit_code == 0
    assert "Bal" in (here / "r.csv").read_text(encoding="utf-8")
    (here / "r.csv").unlink()
    strict = run(*words, "--encoding", "utf-8", given=TABLE.encode("cp1252"))
    assert (strict.exit_code, strict.stderr.splitlines()[0]) == (1, "stdin:3:1: error: not utf-8 text: byte 0xea")


def test_public_holidays_and_a_site_that_takes_them(here: Path) -> None:
    words = ("calendar", "import", "public-holidays", "FR-57", "--years", "2026-2028", "--to", "feries.csv", "--write")
    result = run(*words)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1].startswith("feries.csv: 39 added")
    text = (here / "feries.csv").read_text(encoding="utf-8")
    assert "# valid_until: 2028-12-31\n" in text
    assert "2026-04-03,2026-04-03,Vendredi saint,holidays FR-57\n" in text
    assert "2028-12-26,2028-12-26,Saint-Étienne,holidays FR-57\n" in text


def test_the_valbourg_calendars_can_be_imported_over(here: Path) -> None:
    """The town's own file of public holidays, by hand from the law, and the library agree on every day."""
    target = here / "feries.csv"
    target.write_bytes((example_directory("valbourg") / "calendars" / "feries.csv").read_bytes())
    facts = json.loads(
        run("calendar", "import", "public-holidays", "FR", "--years", "2026-2028", "--to", target, "--json").stdout
    )
    assert (facts["added"], facts["removed"]) == ([], [])
    assert all(each["old"]["start"] == each["new"]["start"] for each in facts["changed"])


@pytest.mark.parametrize(
    ("place", "problem"),
    [
        ("XX", "XX: error: no country; two letters"),
        ("FR-99", 'FR-99: error: FR has no region "99"; known: 57, 6AE'),
        ("FR-", "FR-: error: no country"),
        ("France", "France: error: no country"),
    ],
)
def test_a_place_without_holidays(place: str, problem: str) -> None:
    result = run("calendar", "import", "public-holidays", place, "--to", "feries.csv")
    assert result.exit_code == 1
    assert result.stderr.startswith(problem)


def test_school_holidays_between_two_days(here: Path) -> None:
    (here / "cal.csv").write_text(HEADER + AUTUMN.format(*LILLE) + WINTER.format(*LILLE), encoding="utf-8")
    words = ("calendar", "import", "school-holidays", "cal.csv", "--zone", "B", "--to", "vacances.csv")
    result = run(*words, "--from", "2026-12-01", "--write")
    assert result.exit_code == 0
    lines = (here / "vacances.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("# imported: school-holidays from cal.csv zone B on 2")
    assert lines[1:3] == ["# valid_until: 2027-01-03", "start,end,label,source"]
    assert lines[3:] == ["2026-12-20,2027-01-03,Vacances de Noël,fr-en-calendrier-scolaire 2026-2027 zone B"]


def test_school_hours_are_a_block_for_the_site_file(here: Path) -> None:
    (here / "hours.json").write_text(f"[{school(**MORNINGS)}]", encoding="utf-8")
    words = ("calendar", "import", "school-hours", "hours.json", "--uai", "0620123A")
    assert run(*words).stdout.splitlines()[1:] == [
        "weekly:", '  mon-tue: ["08:30-11:45"]', '  thu-fri: ["08:30-11:45"]',
    ]  # fmt: skip
    assert json.loads(run(*words, "--json").stdout)["weekly"] == {
        "mon-tue": ["08:30-11:45"], "thu-fri": ["08:30-11:45"],
    }  # fmt: skip


def test_what_was_written_passes_check(here: Path) -> None:
    town = here / "town"
    assert run("init", town, "--example", "valbourg").exit_code == 0
    target = town / "calendars" / "reunions.csv"
    words = ("calendar", "import", "meetings", "salle.csv", "--from", "2026-11-01", "--until", "2028-12-31")
    assert run(*words, "--to", target, "--write").exit_code == 0
    site, problems = check_site(town, {})
    assert site is not None
    assert not [problem for problem in problems if "reunions" in problem.file]
    occupancy = site.zones["ecole-jaures.classes"].occupancy
    assert [each.label for each in occupancy.exceptions if each.label in ("Conseil", "Bal")] == ["Conseil", "Bal"]
    assert str(occupancy.extents[0].valid_until) == "2028-12-31"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("meetings", "salle.csv"), "meetings needs --to FILE"),
        (
            ("meetings", "salle.csv", "--to", "r.csv", "--zone", "B"),
            "--zone goes with school-holidays, not with ",
        ),
        (("meetings", "salle.csv", "--to", "r.csv", "--all-day", "8h-18h"), "is no interval of the day"),
        (("school-holidays", "salle.csv", "--to", "r.csv"), "school-holidays needs --zone"),
        (("school-hours", "salle.csv"), "school-hours needs --uai"),
        (("school-hours", "salle.csv", "--uai", "x", "--to", "r.csv"), "prints a block for the site file"),
        (("school-hours", "salle.csv", "--uai", "x", "--write"), "prints a block for the site file"),
        (("meetings", "salle.csv", "--to", "r.csv", "--from", "24/12/2026"), "write year-month-day"),
        (("meetings", "salle.csv", "--to", "r.csv", "--from", "9999-12-31"), "years from 1970 to 2100"),
        (
            ("meetings", "salle.csv", "--to", "r.csv", "--from", "2026-12-02", "--until", "2026-12-01"),
            "is before --from",
        ),
        (("meetings", "salle.csv", "--to", "r.csv", "--columns", "begin=Debut"), "names: start, end, date"),
        (("meetings", "salle.csv", "--to", "r.csv", "--columns", "start"), "write NAME=COLUMN"),
        (("meetings", "salle.csv", "--to", "r.csv", "--timezone", "Paris"), "is no time zone"),
        (("public-holidays", "FR", "--to", "r.csv", "--years", "26"), "is no span of years"),
        (("public-holidays", "FR", "--to", "r.csv", "--years", "2026-2099"), "at most 30 years"),
        (("bookings", "salle.csv", "--to", "r.csv"), "is not one of"),
    ],
)
def test_wrong_usage(words: tuple[str, ...], said: str) -> None:
    result = run("calendar", "import", *words)
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_source_that_is_not_there() -> None:
    result = run("calendar", "import", "meetings", "none.ics", "--to", "r.csv")
    assert (result.exit_code, result.stderr) == (1, "Error: none.ics cannot be read: No such file or directory\n")


def test_help_waits_for_no_library() -> None:
    code = (
        "import sys; from click.testing import CliRunner; from controller.cli import cli; "
        "CliRunner().invoke(cli, ['calendar', 'import', '--help']); "
        "sys.exit('holidays' in sys.modules or 'icalendar' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
