"""School holidays and school hours from the ministry's data sets."""

from __future__ import annotations

import json
from datetime import date

import pytest

from config.imports import school_holidays, school_hours
from config.problems import Findings
from schedules.exceptions import parse_weekly

HEADER = "description;population;start_date;end_date;location;zones;annee_scolaire\n"
AUTUMN = "Vacances de la Toussaint;-;2026-10-16T22:00:00+00:00;2026-11-01T23:00:00+00:00;{};{};2026-2027\n"
WINTER = "Vacances de Noël;-;2026-12-18T23:00:00+00:00;2027-01-03T23:00:00+00:00;{};{};2026-2027\n"
SUMMER = "Vacances d'Été;{};2027-07-02T22:00:00+00:00;2027-{}T22:00:00+00:00;Lille;Zone B;2026-2027\n"
LILLE, PARIS = ("Lille", "Zone B"), ("Paris", "Zone C")


def holidays(text: str, zone: str = "B") -> tuple[school_holidays.SchoolHolidays, list[str]]:
    findings = Findings()
    return school_holidays.of_records("cal.csv", text, zone, findings), [str(each) for each in findings.ordered()]


def test_the_first_day_is_the_morning_after_and_the_last_the_day_before_the_return() -> None:
    found, problems = holidays(HEADER + AUTUMN.format(*LILLE) + WINTER.format(*LILLE) + AUTUMN.format(*PARIS))
    source = "fr-en-calendrier-scolaire 2026-2027 zone B"
    assert found.lines == (
        ("2026-10-18", "2026-11-01", "Vacances de la Toussaint", source),
        ("2026-12-20", "2027-01-03", "Vacances de Noël", source),
    )
    assert (found.valid_until, problems) == (date(2027, 1, 3), [])


def test_the_academies_of_a_zone_are_one_line() -> None:
    found, _ = holidays(HEADER + AUTUMN.format(*LILLE) + AUTUMN.format("Rennes", "Zone B"))
    assert len(found.lines) == 1


def test_teachers_have_a_line_of_their_own_that_does_not_count() -> None:
    found, _ = holidays(HEADER + SUMMER.format("Élèves", "08-31") + SUMMER.format("Enseignants", "08-30"))
    assert [line[:2] for line in found.lines] == [("2027-07-04", "2027-08-31")]


def test_a_summer_without_a_return_leaves_the_days_after_it_unknown() -> None:
    begin = "Début des Vacances d'Été;Élèves;2027-07-02T22:00:00+00:00;2027-07-02T22:00:00+00:00;Lille;Zone B;x\n"
    found, (warning,) = holidays(HEADER + AUTUMN.format(*LILLE) + begin)
    assert [line[2] for line in found.lines] == ["Vacances de la Toussaint"]
    assert found.valid_until == date(2027, 7, 3)
    assert warning.startswith('cal.csv:3:1: warning: "Début des Vacances d\'Été" from 2027-07-03 has no return yet')


def test_a_bridge_names_its_own_first_day_off() -> None:
    bridge = "Pont de l'Ascension;-;2027-05-{};2027-05-{};Lille;Zone B;2026-2027\n"
    found, _ = holidays(HEADER + bridge.format("05T22:00:00+00:00", "09T22:00:00+00:00"))
    assert found.lines[0][:2] == ("2027-05-06", "2027-05-09")
    found, _ = holidays(HEADER + bridge.format("04T22:00:00+00:00", "09T22:00:00+00:00"))
    assert found.lines[0][:2] == ("2027-05-06", "2027-05-09"), "published as the Wednesday after class"
    found, _ = holidays(HEADER + bridge.format("06T22:00:00+00:00", "06T22:00:00+00:00"))
    assert found.lines[0][:2] == ("2027-05-07", "2027-05-09"), "a Friday alone goes on to the Sunday"


def test_json_gives_the_same_and_overseas_too() -> None:
    record = {
        "description": "Vacances de Carnaval", "population": "-", "start_date": "2027-02-05T23:00:00+00:00",
        "end_date": "2027-02-21T23:00:00+00:00", "location": "Guadeloupe", "zones": "Guadeloupe",
        "annee_scolaire": "2026-2027",
    }  # fmt: skip
    for text in (json.dumps([record]), json.dumps({"total_count": 1, "results": [record]}, indent=1)):
        found, problems = holidays(text, "guadeloupe")
        assert ([line[:3] for line in found.lines], problems) == (
            [("2027-02-07", "2027-02-21", "Vacances de Carnaval")], [],
        )  # fmt: skip


def test_the_days_back_at_school_are_no_holidays() -> None:
    back = "Rentrée scolaire des élèves;-;2026-08-31T22:00:00+00:00;2026-08-31T22:00:00+00:00;Lille;Zone B;2026-2027\n"
    found, problems = holidays(HEADER + back + AUTUMN.format(*LILLE))
    assert (len(found.lines), problems) == (1, [])


@pytest.mark.parametrize(
    ("text", "zone", "problem"),
    [
        ("", "B", "cal.csv:1:1: error: the file is empty"),
        ("a;b\n1;2\n", "B", "cal.csv:2:1: error: no column description, start_date, end_date, zones; there are a, b"),
        (HEADER + AUTUMN.format(*LILLE), "D", 'cal.csv:1:1: error: nothing for zone "D"; there are B'),
        (HEADER + AUTUMN.format(*LILLE).replace("2026-10-16T22", "16/10"), "B", "cal.csv:2:1: error: start_date: "),
        (HEADER + AUTUMN.format(*LILLE).replace(";2026-10-16", ";2026-12-16"), "B", "cal.csv:2:1: warning: "),
        ('[{"description": "x"}, 7]', "B", "cal.csv:1:1: error: not an object: 7"),
        ('[{"description": "x",]', "B", "cal.csv:1:1: error: not a JSON list of objects"),
        (HEADER + 'x;"y\n', "B", "cal.csv:2:1: error: not CSV: "),
    ],
)
def test_what_is_wrong_with_a_source(text: str, zone: str, problem: str) -> None:
    found, problems = holidays(text, zone)
    assert found.lines == ()
    assert problem in "\n".join(problems)


ICS = (
    "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:1\nSUMMARY:Vacances de Noël - Zone B\n"
    "DTSTART;VALUE=DATE:20261219\nDTEND;VALUE=DATE:20270104\nEND:VEVENT\nBEGIN:VEVENT\nUID:2\n"
    "SUMMARY:Début des Vacances d'Été - Zone B\nDTSTART;VALUE=DATE:20270703\nEND:VEVENT\nEND:VCALENDAR\n"
)


def test_the_agenda_of_one_zone() -> None:
    findings = Findings()
    found = school_holidays.of_agenda("Zone-B.ics", ICS, "B", findings)
    assert found.lines == (("2026-12-20", "2027-01-03", "Vacances de Noël - Zone B", "Zone-B.ics"),)
    assert found.valid_until == date(2027, 7, 3)
    school_holidays.of_agenda("Zone-B.ics", ICS, "C", findings)
    assert "has other zones than C" in str(findings.ordered()[-1])


def school(**cells: str) -> str:
    record = {"code_uai": "0620123A", "nom_etablissement": "École Jean Jaurès", "annee_scolaire": "2025-2026"}
    return json.dumps({**record, **cells})


MORNINGS = {f"{day}_matin_debut": "08:30" for day in ("lundi", "mardi", "jeudi", "vendredi")}
MORNINGS |= {f"{day}_matin_fin": "11:45" for day in ("lundi", "mardi", "jeudi", "vendredi")}
AFTERNOONS = {"lundi_apres_midi_debut": "13h30", "lundi_apres_midi_fin": "16h30"}


def hours(
    *records: str, uai: str = "0620123A", year: str | None = None
) -> tuple[dict[str, list[str]] | str, list[str]]:
    findings = Findings()
    found = school_hours.of_records("hours.json", f"[{', '.join(records)}]", uai, year, findings)
    return found.weekly if found else {}, [str(each) for each in findings.ordered()]


def test_the_week_of_a_school() -> None:
    week, problems = hours(school(**MORNINGS, **AFTERNOONS))
    assert problems == []
    assert week == {"mon": ["08:30-11:45", "13:30-16:30"], "tue": ["08:30-11:45"], "thu-fri": ["08:30-11:45"]}


def test_the_block_goes_into_a_site_file() -> None:
    findings = Findings()
    text = f"[{school(**MORNINGS)}, {school(lundi_matin_debut='09:00', lundi_matin_fin='12:00')}]"
    found = school_hours.of_records("hours.json", text, "0620123a", None, findings)
    assert found is not None
    assert school_hours.rendered(found) == (
        "# 0620123A École Jean Jaurès, 2025-2026: fr-en-organisation-du-temps-scolaire\n"
        "# 2 rhythms in this school: the hours of all of them\n"
        'weekly:\n  mon: ["08:30-12:00"]\n  tue: ["08:30-11:45"]\n  thu-fri: ["08:30-11:45"]\n'
    )
    assert sorted(parse_weekly(found.weekly)) == [0, 1, 3, 4]


def test_the_latest_school_year_or_the_one_asked_for() -> None:
    old = school(annee_scolaire="2024-2025", lundi_matin_debut="09:00", lundi_matin_fin="12:00")
    assert hours(school(**MORNINGS), old)[0] == {"mon-tue": ["08:30-11:45"], "thu-fri": ["08:30-11:45"]}
    assert hours(school(**MORNINGS), old, year="2024-2025")[0] == {"mon": ["09:00-12:00"]}
    _, (problem,) = hours(school(**MORNINGS), old, year="2023-2024")
    assert problem.endswith("0620123A has no hours for 2023-2024; there are 2024-2025, 2025-2026")


@pytest.mark.parametrize("text", ["08:30", "8h30", "0830", "08:30:00", "1900-01-01T08:30:00+00:00"])
def test_times_in_every_usual_way(text: str) -> None:
    assert hours(school(lundi_matin_debut=text, lundi_matin_fin="12:00"))[0] == {"mon": ["08:30-12:00"]}


@pytest.mark.parametrize(
    ("record", "uai", "problem"),
    [
        (school(**MORNINGS), "0620999Z", "no school with the UAI 0620999Z among 1 lines"),
        (school(), "0620123A", "0620123A has no hours in 2025-2026"),
        (
            school(lundi_matin_debut="huit heures", lundi_matin_fin="12:00"),
            "0620123A",
            'debut: "huit heures" is no time',
        ),
        (school(lundi_matin_debut="12:00", lundi_matin_fin="08:00"), "0620123A", "fin: 08:00 is before 12:00"),
        (school(lundi_matin_debut="12:00"), "0620123A", "lundi_matin_fin: "),
        ('{"uai": "0620123A"}', "0620123A", "no column code_uai; there are uai"),
    ],
)
def test_hours_that_cannot_be_read(record: str, uai: str, problem: str) -> None:
    week, problems = hours(record, uai=uai)
    assert week == {}
    assert len(problems) == 1
    assert problem in problems[0]
