"""The picture's parts on their own: outlines cover what they shall and no more, the shades keep their order in grey."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from controller.cli.year import inks
from controller.cli.year.elements import element, escaped, figure, shortened
from controller.cli.year.nights import Band, Run
from controller.cli.year.outlines import outlines
from tests.controller.year_reader import crossings

WIDTH = 12


@st.composite
def rows(draw: st.DrawFn) -> list[Band]:
    """Bands below each other, with runs of three values and gaps between them."""
    found, top = [], 0
    for _ in range(draw(st.integers(0, 8))):
        height = draw(st.sampled_from([1, 2]))
        cuts = sorted(draw(st.sets(st.integers(0, WIDTH), min_size=2)))
        runs = [Run(left, right, draw(st.sampled_from(["a", "b", "c", None]))) for left, right in pairwise(cuts)]
        found.append(Band(top, height, tuple(run for run in runs if run.value)))
        top += height
    return found


@given(rows())
def test_an_outline_covers_the_runs_of_its_value_and_nothing_else(bands: list[Band]) -> None:
    edges = {value: crossings(d) for value, d in outlines(bands).items()}
    for band in bands:
        for half in range(band.top, band.top + band.height):
            for x in range(WIDTH):
                shown = {value for value, found in edges.items() if sum(at <= x for at in found.get(half, ())) % 2}
                assert shown == {run.value for run in band.runs if run.left <= x < run.right}


def test_equal_rows_are_one_rectangle() -> None:
    assert outlines([Band(2 * row, 2, (Run(3, 8, 50.0),)) for row in range(365)]) == {50.0: "M3 0h5v730h-5v-730z"}


def test_a_higher_level_is_lighter_in_grey_and_every_level_lighter_than_the_sky() -> None:
    shades = [inks.luminance(inks.light(float(level))) for level in range(1, 101)]
    assert all(before < after for before, after in pairwise(shades))
    skies = [inks.luminance(sky) for sky in (inks.NIGHT, inks.TWILIGHT, inks.DAY)]
    assert skies == sorted(skies)
    assert shades[0] - skies[-1] > 0.1
    assert inks.light(0.0) == inks.NIGHT


def test_a_higher_setpoint_is_darker_in_grey() -> None:
    shades = [inks.luminance(inks.heat(share / 20)) for share in range(21)]
    assert all(before > after for before, after in pairwise(shades))


def test_elements_escape_what_xml_reserves() -> None:
    assert element("text", [escaped("a<b")], {"of": 'x"&'}, font_size=10.0) == (
        '<text font-size="10" data-of="x&quot;&amp;">a&lt;b</text>'
    )
    assert element("rect", x=1.239) == '<rect x="1.24"/>'
    assert (
        escaped("\x00\x1b[1m\ud800") == "\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}[1m\N{REPLACEMENT CHARACTER}"
    )


def test_figures_and_long_names() -> None:
    assert (figure(0.4), figure(4171.4)) == ("0", "4\N{NO-BREAK SPACE}171")
    assert shortened("quartier", 8) == "quartier"
    assert shortened("quartier des", 10) == "quartier…"
