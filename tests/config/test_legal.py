"""Legal hours in the site files: categories, derogations, and plans that go beyond them."""

from __future__ import annotations

from datetime import date

import pytest

from config.legal_hours import known_countries, legal_categories, read_country
from config.load import SiteError, load_site
from schedules.moments import ClockTime
from tests.config.conftest import TODAY, Town

LAST_GROUP = "  - {id: quartier-ecoles, plan: quartiers, lamps: {cabinet: cab-ecoles}"
EARLY = """  tot:
    lit: {from: sunset+10m, to: "01:00"}
"""
DEROGATION = """
derogations:
  - id: noel
    groups: quartier-ecoles
    from: 2026-12-01
    to: 2027-12-31
    until: all-night
    reference: arrêté préfectoral 2026-114
    issuer: préfecture du Pas-de-Calais
"""


def bound(town: Town, legal: str, plan: str = "quartiers") -> Town:
    """The school's quarter under a law, perhaps with a plan of its own."""
    town.change(f"{LAST_GROUP}}}\n", f"{LAST_GROUP.replace('quartiers', plan)}, legal: {legal}}}\n")
    return town


def with_plan(town: Town, *rules: str) -> Town:
    """A plan ``tot`` that is out at 01:00, but for its rules."""
    town.change("plans:  ", f"{EARLY}plans:  ")
    listed = f"    rules: [{', '.join(rules)}]\n" if rules else ""
    town.change("\ngroups:  ", f"  tot:\n    default: tot\n{listed}\ngroups:  ")
    return town


@pytest.mark.parametrize("country", known_countries())
def test_a_country_says_where_its_hours_come_from(country: str) -> None:
    written = read_country(country)
    assert written.source
    assert written.checked >= date(2026, 11, 24)
    for name, category in legal_categories(country).items():
        keys = {*type(written.categories[name]).model_fields}
        assert set(category.from_memory) <= keys, "what is marked as from memory is a key of the category"
        assert category.title != category.title_local
        assert isinstance(category.evening_from, ClockTime | type(None)) or str(category.evening_from) == "sunset"


def test_the_tree_carries_category_activity_and_derogations(valbourg: Town) -> None:
    bound(valbourg, "{category: car-park, occupancy: ecole}")
    valbourg.append(DEROGATION)
    site = load_site(valbourg.directory, {})
    legal = site.groups["quartier-ecoles"].legal
    assert legal is not None
    assert legal.category is legal_categories("FR")["car-park"]
    assert legal.occupancy is site.zones["ecole-jaures.classes"].occupancy
    assert legal.derogations == (site.derogations["noel"],)
    assert site.derogations["noel"].last == date(2027, 12, 31)
    assert site.groups["gare"].legal is None


def test_the_short_form(valbourg: Town) -> None:
    bound(valbourg, "public-road")
    assert valbourg.problems() == []
    site = load_site(valbourg.directory, {}, TODAY)
    assert site.groups["quartier-ecoles"].legal is not None


MISTAKES = {
    "misspelt": ("carpark", "carpark", 'legal: unknown legal category "carpark"; did you mean "car-park"? known: '),
    "misspelt in full": (
        "{category: facad}", "facad}", 'legal.category: unknown legal category "facad"; did you mean "facade"? known: ',
    ),
    "unknown key": ("{categry: facade}", "categry", "legal.categry: unknown key; did you mean "),
    "no activity": ("car-park", "car-park", "legal: car-park follows an activity: write legal: {category: "),
    "no such activity": (
        "{category: car-park, occupancy: eccole}", "eccole",
        'legal.occupancy: unknown occupancy "eccole"; did you mean "ecole"? known: ',
    ),
    "activity without effect": (
        "{category: facade, occupancy: ecole}", "ecole}}", "legal.occupancy: the hours of facade follow no activity",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_at_its_place(valbourg: Town, name: str) -> None:
    legal, place, message = MISTAKES[name]
    bound(valbourg, legal)
    line, column = valbourg.place(place)
    assert f"site.yaml:{line}:{column}: error: groups.quartier-ecoles.{message}" in "\n".join(valbourg.found())


SECOND = """derogations:
  - {id: noel, groups: quartier-ecoles, from: 2026-12-01, to: 2026-12-02, until: "02:00", reference: a, issuer: b}
"""
WRONG_DEROGATIONS = {
    "unknown group": (
        "groups: quartier-ecoles", "groups: quartier-ecole", 'unknown group "quartier-ecole"; did you mean "quart',
    ),
    "a group without hours": (
        "groups: quartier-ecoles", "groups: gare", 'group "gare" has no legal hours to derogate from; write legal: ...',
    ),
    "no date": ("from: 2026-12-01", "from: 1.12.2026", '"1.12.2026" is not a date; write year-month-day'),
    "the wrong way round": ("to: 2027-12-31", "to: 2026-11-30", "2026-11-30 is before the first night, 2026-12-01"),
    "no moment": ("until: all-night", "until: sunsett", 'did you mean "sunset"?'),
    "no day": ("until: all-night", "until: all-night\n    on: frid", '"frid" names no day; did you mean "fri"?'),
    "no reference": ("    reference: arrêté préfectoral 2026-114\n", "", "derogations.noel.reference: missing"),
    "twice": ("derogations:\n", SECOND, 'derogation "noel" already exists in line'),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_DEROGATIONS)
def test_a_derogation_that_is_wrong(valbourg: Town, name: str) -> None:
    old, new, message = WRONG_DEROGATIONS[name]
    bound(valbourg, "public-road")
    valbourg.append(DEROGATION.replace(old, new))
    errors = [line for line in valbourg.found() if ": error: " in line]
    assert len(errors) == 1, errors
    assert message in errors[0]


def test_another_country(valbourg: Town) -> None:
    bound(valbourg, "public-road")
    valbourg.change("country: FR ", "country: BE ")
    (line,) = valbourg.found()
    assert line.endswith("legal: no legal hours of country BE come with this version; known: FR")


def test_a_plan_beyond_the_hours_is_an_error_at_the_groups_legal(valbourg: Town) -> None:
    bound(valbourg, "facade")
    line, column = valbourg.place("facade}")
    site, problems = valbourg.check()
    assert site is None
    (problem,) = problems
    assert (problem.line, problem.column, problem.severity) == (line, column, "error")
    assert problem.message == (
        "groups.quartier-ecoles.legal: plan quartiers is lit outside the legal hours of facade "
        "(arrêté du 27 décembre 2018, art. 1 d and 2): from sunset, off at 01:00; "
        "on 366 nights of the year ahead, first on 2026-11-21 from 01:00 "
        "to 02:00: change the plan, or record a derogation under derogations"
    )


def test_a_plan_within_the_hours_is_right(valbourg: Town) -> None:
    bound(with_plan(valbourg), "facade", "tot")
    assert valbourg.problems() == []


def test_a_derogation_covers_its_nights_and_only_these(valbourg: Town) -> None:
    feast = '{on: ["2026-12-24..2026-12-26", "2027-07-13"], program: fete}'
    bound(with_plan(valbourg, feast), "facade", "tot")
    (line,) = valbourg.found()
    assert "on 4 nights of the year ahead, first on 2026-12-24 from 01:00 to 08:" in line
    valbourg.append(DEROGATION.replace("to: 2027-12-31", "to: 2027-01-05"))
    (line,) = valbourg.found()
    assert "on 1 night of the year ahead, first on 2027-07-13 from 01:00 to 05:" in line
    valbourg.change("to: 2027-01-05", "to: 2027-12-31")
    assert valbourg.problems() == []
    valbourg.change("until: all-night", 'until: "03:00"')
    (line,) = valbourg.found()
    assert "on 4 nights of the year ahead, first on 2026-12-24 from 03:00 to 08:" in line


def test_a_plan_that_ends_with_the_activity(valbourg: Town) -> None:
    """A car park of the school until 19:30 in winter; on Saturdays there is no school."""
    with_plan(valbourg)
    valbourg.change('to: "01:00"}', 'to: "19:00"}')
    bound(valbourg, "{category: car-park, occupancy: ecole}", "tot")
    (line,) = valbourg.found()
    assert "off 2h after the activity, on again at 07:00 or 1h before the activity; on " in line
    assert "first on 2026-11-21 from 17:" in line, "a Saturday"


def test_a_start_does_not_compare_with_the_year_ahead_and_a_reload_does(valbourg: Town) -> None:
    bound(valbourg, "facade")
    assert load_site(valbourg.directory, {}).groups["quartier-ecoles"].legal
    with pytest.raises(SiteError, match="is lit outside the legal hours of facade"):
        load_site(valbourg.directory, {}, TODAY)


NESTED = """  - {id: place, plan: tot, groups: [fontaine, kiosque], legal: facade}
  - {id: fontaine}
  - {id: kiosque, plan: centre, legal: public-road}
"""


def test_a_nested_group_is_bound_by_the_one_around_it(valbourg: Town) -> None:
    with_plan(valbourg, '{on: "2027-07-13", program: fete}')
    valbourg.change("\n# --- heating", f"{NESTED}\n# --- heating")
    errors = [line for line in valbourg.found() if ": error: " in line]
    assert [line.split(": ")[2] for line in errors] == ["groups.place.legal", "groups.fontaine.id"]
    valbourg.append(DEROGATION.replace("quartier-ecoles", "place"))
    site, problems = valbourg.check()
    assert site is not None, problems
    categories = {name: group.legal.category.id for name, group in site.groups.items() if group.legal}
    assert categories == {"place": "facade", "fontaine": "facade", "kiosque": "public-road"}
    fountain = site.groups["fontaine"].legal
    assert fountain is not None
    assert [each.id for each in fountain.derogations] == ["noel"]
    assert fountain is site.groups["place"].legal, "bound alike: their nights are worked out once"
