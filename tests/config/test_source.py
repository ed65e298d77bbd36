"""YAML 1.2 as plain values with their places."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.problems import Findings, Spot
from config.source import Document, Placed, parse_yaml


def read(text: str) -> tuple[Document, list[str]]:
    findings = Findings()
    document = parse_yaml("site.yaml", text, findings)
    return document, [str(problem) for problem in findings.ordered()]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("22:30", "22:30"),
        ("off", "off"),
        ("no", "no"),
        ("Yes", "Yes"),
        ("NO", "NO"),
        ("true", True),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("1e3", 1000.0),
        ("-3.5", -3.5),
        (".inf", math.inf),
        ("~", None),
        ("", None),
        ("2026-12-24", "2026-12-24"),
        ("12-24..12-26", "12-24..12-26"),
        ("'12'", "12"),
        ("sunset+10m", "sunset+10m"),
    ],
)
def test_scalars_are_what_they_look_like(text: str, value: object) -> None:
    document, problems = read(f"key: {text}\n")
    assert document.value == {"key": value}
    assert problems == []


def test_keys_are_text_or_whole_numbers() -> None:
    document, _ = read("{22:30: 1, on: 2, no: 3, 50: 4, 1.5: 5, true: 6}")
    assert document.value == {"22:30": 1, "on": 2, "no": 3, 50: 4, "1.5": 5, "true": 6}


def test_every_key_and_value_has_its_place() -> None:
    document, _ = read("site:\n  id: x\nlist:\n  - {a: 1, b: [7, 8]}\n")
    assert document.spot(("site", "id")) == Spot("site.yaml", 2, 7)
    assert document.spot(("site", "id"), at_key=True) == Spot("site.yaml", 2, 3)
    assert document.spot(("list", 0, "b", 1)) == Spot("site.yaml", 4, 19)
    assert document.spot(("site", "missing")) == Spot("site.yaml", 2, 3), "the nearest thing that exists"


def test_a_mapping_keeps_its_place_when_it_is_moved() -> None:
    document, _ = read("list:\n  - {id: a}\n  - {id: b}\n")
    second = document.at(("list", 1))
    assert isinstance(second, Placed)
    assert second.where == ("list", 1)
    assert document.label(("list", 1, "id")) == "list.b.id"


def test_all_duplicate_keys_are_found_and_the_first_counts() -> None:
    document, problems = read("a: 1\nb: {c: 1, c: 2}\na: 3\n")
    assert problems == [
        'site.yaml:2:11: error: duplicate key "c": it is already in line 2',
        'site.yaml:3:1: error: duplicate key "a": it is already in line 1',
    ]
    assert document.value == {"a": 1, "b": {"c": 1}}


@pytest.mark.parametrize(
    ("text", "line", "column", "word"),
    [
        ("a: [1, 2\nb: 3\n", 2, 2, "expected"),
        ("a: 1\n\tb: 2\n", 2, 1, "token"),
        ('a: "unclosed\n', 2, 1, "quoted scalar from line 1"),
        ("a: 1\n b: 2\n", 2, 3, "mapping values"),
        ("a: !secret x\n", 1, 4, "tag"),
        ("? [1]\n: 2\n", 1, 3, "key"),
        ("a: *nothing\n", 1, 4, "alias"),
        ("a: \0\n", 1, 1, "special characters"),
    ],
)
def test_what_is_no_yaml_says_where(text: str, line: int, column: int, word: str) -> None:
    _, problems = read(text)
    assert len(problems) == 1
    assert problems[0].startswith(f"site.yaml:{line}:{column}: error: ")
    assert word in problems[0]


def test_aliases_work_but_cannot_explode() -> None:
    document, problems = read("a: &x {b: 1}\nc: *x\n")
    assert document.value == {"a": {"b": 1}, "c": {"b": 1}}
    assert problems == []
    bomb = "a0: &a0 [1, 1]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 28))
    _, problems = read(bomb)
    assert any("too deep or too large" in problem for problem in problems)


@given(st.text(alphabet=st.sampled_from("ab1:-{}[],\"' \n#&*!|>?%@\t~.é\0"), max_size=60))
def test_no_text_makes_the_reader_fall(text: str) -> None:
    document, problems = read(text)
    assert isinstance(document, Document)
    assert all(problem.startswith("site.yaml:") for problem in problems)
