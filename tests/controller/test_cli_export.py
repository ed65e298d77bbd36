"""``veilleuse export``: proofs, energy and readings out of a state directory, and the page for a town hall."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from config.load import load_site
from controller.cli import cli
from controller.cli.export.words import words_of
from controller.core.commands import Command
from controller.core.journal import Journal, Record
from controller.core.wiring import Wiring
from controller.store.database import Batch, Database, Quota
from tests.controller.nights import CountingField
from tests.controller.sites import write_site
from tests.controller.towns import at

NIGHT = "2026-11-23"
REASON = 'fête de la <b>Sainte-Barbe</b> & "marché" \u0007'


@pytest.fixture(scope="module")
def journals(tmp_path_factory: pytest.TempPathFactory) -> list[Journal]:
    """Two nights of Bourg: an override with a reason that no page likes, and a lamp that burns in the cut."""
    site = load_site(write_site(tmp_path_factory.mktemp("bourg")), {})
    field = CountingField(Wiring(site), at("2026-11-22 11:50"))
    field.start()
    field.until(at("2026-11-24 01:00"), timedelta(minutes=2))
    field.feed(
        Command("c-1", "group", "rues", field.now, value=40.0, lasting=timedelta(hours=1), reason=REASON, by="a<n>ne")
    )
    field.until(at("2026-11-24 03:00"), timedelta(minutes=1))
    field.pinned["cab", "lamp.2.power"] = 40.0
    field.until(at("2026-11-24 04:00"), timedelta(minutes=1))
    field.pinned.clear()
    field.until(at("2026-11-24 12:05"), timedelta(minutes=2))
    return [step.journal for step in field.steps if step.journal.records]


@pytest.fixture
def site(tmp_path: Path, journals: list[Journal]) -> Path:
    directory = write_site(tmp_path / "site")
    sample = json.dumps([{"entity": "lamp/l-001", "ts": "2026-11-23T17:00:00Z", "level": 40.0, "power_w": 28.5}])
    with closing(Database(tmp_path / "bourg.sqlite", Quota())) as file:
        for journal in journals:
            file.commit(replace(Journal(), records=journal.records))
        file.commit(Journal(), [Batch(1, sample)])
    return directory


def run(site: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["export", str(site), *arguments, "--state", str(site.parent)])


def table(result: Result) -> list[dict[str, str]]:
    assert result.exit_code == 0, result.output
    return list(csv.DictReader(io.StringIO(result.stdout)))


def nights(result: Result) -> list[dict[str, Any]]:
    found = json.loads(result.stdout)
    assert isinstance(found, list)
    return found


def alter(site: Path, query: str, *values: str) -> None:
    with closing(sqlite3.connect(site.parent / "bourg.sqlite")) as db, db:
        assert db.execute(query, values).rowcount > 0


def test_the_latest_night_is_shown_unless_another_is_asked_for(site: Path) -> None:
    result = run(site, "proofs")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[0].startswith(f"night of {NIGHT}: intact")
    assert [line.split()[0] for line in result.stdout.splitlines()[1:]] == ["group", "rues", "place"]
    assert run(site, "proofs", "--night", "2026-11-22").stdout.startswith("night of 2026-11-22: intact")


def test_json_has_the_records_as_they_were_sealed(site: Path, journals: list[Journal]) -> None:
    (night,) = nights(run(site, "proofs", "--night", NIGHT, "--json"))
    kept: dict[str, Record] = {each.sha256: each for journal in journals for each in journal.records}
    assert set(night) == {"night", "sha256", "verdict", "record", "proofs"}
    assert json.loads(kept[night["sha256"]].payload) == night["record"]
    for each in night["proofs"]:
        assert json.loads(kept[each["sha256"]].payload) == each["proof"]
        assert night["record"]["proofs"][f"group/{each['proof']['group']}"] == each["sha256"]


def test_a_span_of_nights_as_a_table(site: Path) -> None:
    rows = table(run(site, "proofs", "--from", "2026-11-01", "--to", "2026-11-30", "--csv"))
    assert [(row["night"], row["group"]) for row in rows] == [
        (night, group) for night in ("2026-11-21", "2026-11-22", NIGHT) for group in ("rues", "place")
    ]
    rues = rows[-2]
    assert (rues["cut_h"], rues["deviations"], rues["interventions"], rues["verdict"]) == ("4.5", "1", "1", "intact")
    assert float(rues["cut_lit_by_command_h"]) == pytest.approx(1.0, abs=0.05)
    parts = ("lit_h", "dark_h", "unknown_h")
    assert sum(float(rues[name]) for name in parts) == pytest.approx(24.0, abs=0.002)
    assert len(table(run(site, "proofs", "--from", "2026-11-01", "--group", "place", "--csv"))) == 3


ALTERED = [
    (
        "UPDATE record SET payload = replace(payload, '4.5', '4.6') WHERE kind = 'proof' AND night = ?",
        "proof of group/rues",
    ),
    ("DELETE FROM record WHERE kind = 'proof' AND night = ? AND target = 'group/place'", "group/place is missing"),
    ("UPDATE record SET payload = replace(payload, '{', '{ ') WHERE kind = 'accounts' AND night = ?", "accounts were"),
    ("DELETE FROM record WHERE kind = 'accounts' AND night = ?", "accounts are missing"),
    ("UPDATE record SET payload = replace(payload, 'bourg', 'b') WHERE kind = 'night' AND night = ?", "record was"),
]


@pytest.mark.parametrize(("query", "words"), ALTERED)
def test_what_was_changed_afterwards_is_told(site: Path, query: str, words: str) -> None:
    alter(site, query, NIGHT)
    result = run(site, "proofs", "--night", NIGHT)
    assert result.exit_code == 1
    assert words in result.stdout.splitlines()[0]
    assert run(site, "proofs", "--night", "2026-11-22").exit_code == 0, "the night before is as it was"


def test_a_night_that_was_sealed_anew_breaks_the_chain_after_it(site: Path) -> None:
    alter(site, "UPDATE record SET sha256 = 'f' WHERE kind = 'night' AND night = ?", "2026-11-22")
    result = run(site, "proofs", "--night", NIGHT)
    assert result.exit_code == 1
    assert "night before is another" in result.stdout


def test_energy_a_night_of_every_lamp_segment_and_group(site: Path) -> None:
    rows = table(run(site, "energy", "--from", NIGHT))
    by_target = {row["target"]: row for row in rows}
    assert set(by_target) == {
        *(f"lamp/{lamp}" for lamp in ("l-001", "l-002", "l-003", "twin")), "group/rues", "group/place", "site/bourg",
        *(f"segment/{segment}" for segment in ("s-1", "s-2", "twin")), "cabinet/cab",
    }  # fmt: skip
    lamps = sum(float(by_target[f"lamp/{lamp}"]["energy_kwh"]) for lamp in ("l-001", "l-002", "twin"))
    assert float(by_target["group/rues"]["energy_kwh"]) == pytest.approx(lamps, abs=0.002)
    assert by_target["lamp/l-001"]["energy_by"] == "counter"
    of_group = {row["target"] for row in table(run(site, "energy", "--group", "place"))}
    assert of_group == {"group/place", "lamp/l-003"}
    assert json.loads(run(site, "energy", "--json", "--night", NIGHT).stdout)[0]["night"] == NIGHT


def test_readings_are_what_waits_for_the_broker(site: Path) -> None:
    assert table(run(site, "readings")) == [
        {"entity": "lamp/l-001", "ts": "2026-11-23T17:00:00Z", "quantity": "level", "value": "40.0"},
        {"entity": "lamp/l-001", "ts": "2026-11-23T17:00:00Z", "quantity": "power_w", "value": "28.5"},
    ]
    assert json.loads(run(site, "readings", "--json").stdout)[0]["power_w"] == 28.5


def test_the_daemon_may_have_the_file_open(site: Path) -> None:
    with closing(Database(site.parent / "bourg.sqlite", Quota())) as file:
        assert run(site, "proofs").exit_code == 0
        file.commit(Journal(counters={"a": 1.0}))


WRONG = [
    (["proofs", "--night", "2020-01-01"], 1, "no proof from 2020-01-01"),
    (["proofs", "--group", "rue"], 1, 'did you mean "rues"'),
    (["energy", "--from", "2030-01-01"], 1, "no accounts"),
    (["proofs", "--night", NIGHT, "--from", NIGHT], 2, "--night is one night"),
    (
        ["energy", "--html", "x.html"],
        2,
        "--html does not go with energy, which takes --night, --from, --to, --group and --json",
    ),
    (["proofs", "--json", "--csv"], 2, "not both"),
    (["proofs", "--lang", "en"], 2, "it goes with --html"),
    (["readings", "--night", NIGHT], 2, "--night does not go with readings, which takes --json"),
    (["heat"], 2, "'heat' is not one of"),
    (["proofs", "--night", "soon"], 2, "does not match the format"),
]


@pytest.mark.parametrize(("arguments", "code", "words"), WRONG)
def test_wrong_questions(site: Path, arguments: list[str], code: int, words: str) -> None:
    result = run(site, *arguments)
    assert result.exit_code == code, result.output
    assert words in result.output


def test_without_a_file_it_says_where_it_looked(site: Path) -> None:
    (site.parent / "bourg.sqlite").unlink()
    result = run(site, "proofs")
    assert (result.exit_code, "bourg.sqlite does not exist" in result.output) == (1, True)
    with closing(Database(site.parent / "bourg.sqlite", Quota())):
        assert "no night has been closed yet" in run(site, "proofs").output


def html(site: Path, *arguments: str) -> str:
    result = run(site, "proofs", "--html", str(site.parent / "page.html"), *arguments)
    assert result.exit_code == 0, result.output
    return (site.parent / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_the_page_is_whole_and_lets_nothing_in(site: Path, lang: str) -> None:
    text = html(site, "--night", NIGHT, "--lang", lang)
    tree = ET.fromstring(text.removeprefix("<!DOCTYPE html>\n"))  # noqa: S314 - our own page
    assert tree.get("lang") == lang
    names = {each.tag.rpartition("}")[2] for each in tree.iter()}
    assert not names & {"script", "link", "img", "iframe", "object", "b"}
    assert not [each for each in tree.iter() if {"src", "href"} & set(each.attrib)]
    words = " ".join(tree.itertext())
    assert REASON.replace("\u0007", "\ufffd") in words
    assert "a<n>ne" in words
    assert len([each for each in tree.iter() if each.tag.endswith("article")]) == 2
    ids = [each.get("id") for each in tree.iter() if each.get("id")]
    assert len(ids) == len(set(ids))


def test_the_page_speaks_the_countrys_language_in_whole_sentences(site: Path) -> None:
    text = html(site, "--night", NIGHT)
    assert "Preuve de la nuit du lundi 23 au mardi 24 novembre 2026" in text
    assert "Coupure décidée de 00\N{NO-BREAK SPACE}h\N{NO-BREAK SPACE}30 à 05" in text
    assert "commandé éteint, 1 sur 3 allumés (l-002)" in text
    assert "Vérifié : cette page montre ce qui a été scellé à midi, inchangé." in text
    english = html(site, "--from", "2026-11-22", "--lang", "en")
    assert "Proof of the night of Sunday 22 to Monday 23 November 2026" in english
    assert english.count('<section class="night">') == 2


def test_a_page_of_a_changed_proof_says_so_first_of_all(site: Path) -> None:
    alter(site, ALTERED[0][0], NIGHT)
    result = run(site, "proofs", "--night", NIGHT, "--html", str(site.parent / "page.html"))
    assert result.exit_code == 1
    assert "NON INTACT : the proof of group/rues was altered." in (site.parent / "page.html").read_text()


def test_both_languages_have_the_same_texts_with_the_same_values() -> None:
    english, french = words_of("en").texts, words_of("fr").texts
    assert set(english) == set(french)
    assert all(_values(english[name]) == _values(french[name]) for name in english)


def _values(text: str) -> set[str]:
    return {part.partition("}")[0] for part in text.split("{")[1:]}
