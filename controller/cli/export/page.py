"""The proofs of one or more nights as one self-contained, printable HTML page: no script, nothing from the network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from controller.cli.export.nights import SealedNight, SealedProof
from controller.cli.export.strip import legend, strip
from controller.cli.export.words import Words
from controller.cli.year.elements import SPACE, element, escaped

_STYLE = """
@page { size: A4; margin: 14mm 14mm 16mm; }
* { box-sizing: border-box; }
body { font: 9.5pt/1.35 system-ui, Helvetica, Arial, sans-serif; color: #1d2330; background: #fff;
  max-width: 190mm; margin: 0 auto; padding: 4mm; }
@media print { body { max-width: none; padding: 0; } section.night + section.night { break-before: page; } }
h1 { font-size: 18pt; margin: 0; } h2 { font-size: 12.5pt; margin: 0; }
h3 { font-size: 9.5pt; margin: 0; }
header p { font-size: 12.5pt; margin: .5mm 0 2mm; }
table { border-collapse: collapse; width: 100%; }
th, td { padding: 1.1mm 2mm; border-bottom: .2mm solid #c9cfda; text-align: right; }
th { font-weight: 600; font-size: 9pt; border-bottom: .4mm solid #1d2330; vertical-align: bottom; }
th:first-child, td:first-child { text-align: left; } td { font-variant-numeric: tabular-nums; white-space: nowrap; }
tr.all td { font-weight: 600; border-bottom: none; }
article { break-inside: avoid; border-top: .3mm solid #c9cfda; margin-top: 4mm; padding-top: 2mm; }
article h2 small { font-weight: 400; font-size: 9.5pt; color: #5a6272; }
svg { display: block; width: 100%; height: auto; margin-bottom: 1.5mm; }
.two { display: flex; gap: 6mm; margin: 1.5mm 0; } .two > div { flex: 1; }
p { margin: .8mm 0; } ul { margin: .5mm 0; padding-left: 4.5mm; } li { margin: .3mm 0; }
p.big { font-size: 10.5pt; } .fine { font-size: 8pt; color: #454c5a; }
code { font: 7.4pt ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
.seal { border: .4mm solid #1d2330; padding: 2mm 3mm; margin-top: 5mm; break-inside: avoid; }
.seal.broken { border: 1mm solid #b3261e; } .broken strong { color: #b3261e; font-size: 13pt; }
""".strip()

_WORTH_TELLING_H = 0.05
"""What ramps and polls take of a switching is not worth a sentence; the figures have it."""
_WELL_MEASURED = 0.98

Page = Mapping[str, Any]


def page(nights: Sequence[SealedNight], words: Words) -> str:
    """The whole document; well-formed as XML too."""
    named = next((proof.page["site_name"] for night in nights for proof in night.proofs), "")
    head = [
        '<meta charset="utf-8"/>',
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>',
        element("title", [escaped(f"{named}, {words('title')}")]),
        element("style", [_STYLE]),
    ]
    sections = [_night(night, words, number) for number, night in enumerate(nights) if night.proofs]
    html = element("html", [element("head", head), element("body", sections)], lang=words.lang)
    return f"<!DOCTYPE html>\n{html}\n"


def _night(night: SealedNight, words: Words, number: int) -> str:
    named = str(night.proofs[0].page["site_name"])
    title = [element("h1", [escaped(named)]), _p(f"{words('title')} {words.night(night.night)}")]
    articles = [_group(proof, words, f"u{number}-{index}") for index, proof in enumerate(night.proofs)]
    parts = [element("header", title), *_summary(night, words, f"u{number}"), *articles, _seal(night, words)]
    return element("section", parts, **{"class": "night"})


def _summary(night: SealedNight, words: Words, mark: str) -> Iterator[str]:
    names = ("group", "lights", "cut", "really_dark", "not_measured", "used", "saved", "deviations")
    heads = [words(name).capitalize() + (" (kWh)" if name in ("used", "saved") else "") for name in names]
    rows = [element("tr", [element("th", [escaped(head)]) for head in heads])]
    rows += [_row(_cells(proof.page, words)) for proof in night.proofs]
    if len(night.proofs) > 1:
        rows.append(_row(_totals([proof.page for proof in night.proofs], words), "all"))
    yield element("table", rows)
    yield element("div", [legend(words, f"{mark}-legend")], style="margin-top: 4mm")


def _cells(page: Page, words: Words) -> list[str]:
    cut, energy = page["cut"], page["energy"]
    decided = cut["decided_h"]
    return [
        str(page["group"]),
        str(page["members"]),
        words.duration(decided) if decided else "-",
        words.duration(cut["dark_h"]) if decided else "-",
        words.duration(page["hours"]["unknown"]),
        _kwh(energy["used_kwh"], words),
        _kwh(energy["saved_kwh"], words),
        str(len(page["deviations"]) + page["deviations_dropped"]),
    ]


def _totals(pages: Sequence[Page], words: Words) -> list[str]:
    """Sums of what can be summed; hours differ by group and are left to them."""
    lights = sum(page["members"] for page in pages)
    used, saved = (
        sum(value for page in pages if (value := page["energy"][name]) is not None)
        for name in ("used_kwh", "saved_kwh")
    )
    deviations = sum(len(page["deviations"]) + page["deviations_dropped"] for page in pages)
    figures = [words.number(used), words.number(saved), str(deviations)]
    return [words("site"), str(lights), "", "", "", *figures]


def _group(proof: SealedProof, words: Words, mark: str) -> str:
    page = proof.page
    lights = words("of_lights", n=page["members"])
    parts = [
        element("h2", [escaped(str(page["group"])), " ", element("small", [escaped(lights)])]),
        strip(page, words, mark),
        _p(" ".join(_cut(page, words)), "big"),
        _p(" ".join(_figures(page, words))),
        element("div", _beside(page, words), **{"class": "two"}),
        _p(" ".join(_fine(page, words)), "fine"),
        element(
            "p", [escaped(words("proof")), ": ", element("code", [escaped(proof.sha256)])], **{"class": "fine"}
        ),
    ]  # fmt: skip
    return element("article", parts)


def _beside(page: Page, words: Words) -> Iterator[str]:
    """Deviations and interventions, side by side."""
    lists = (("deviations", _deviations, "no_deviation"), ("interventions", _interventions, "no_intervention"))
    for name, lines, none in lists:
        heading = element("h3", [escaped(words(name))])
        yield element("div", [heading, *_listed(lines(page, words), words(none))])


def _cut(page: Page, words: Words) -> Iterator[str]:
    cut = page["cut"]
    decided = cut["decided_h"]
    if not decided:
        yield words("no_cut")
        return
    spans = words("and").join(_span(each, page, words) for each in page["cuts"])
    share = f" ({words.share(cut['dark_h'] / decided)})"
    yield words(
        "cut_words", spans=spans, decided=words.duration(decided), dark=words.duration(cut["dark_h"]), share=share
    )
    for name, key in (
        ("cut_by_command", "lit_by_command_h"), ("cut_against", "lit_against_command_h"), ("cut_unknown", "unknown_h")
    ):  # fmt: skip
        if cut[key] >= _WORTH_TELLING_H:
            yield words(name, hours=words.duration(cut[key]))


def _figures(page: Page, words: Words) -> Iterator[str]:
    energy = page["energy"]
    if energy["used_kwh"] is None:
        yield words("energy_unknown")
    else:
        figures = {name: words.number(abs(energy[f"{name}_kwh"])) for name in ("used", "baseline", "saved")}
        yield words("energy_words" if energy["saved_kwh"] >= 0 else "energy_more", **figures)
        if set(energy["by"]) - {"counter"} and (page["data_quality"] or 0.0) < _WELL_MEASURED:
            yield words("energy_gap")
    if page["availability"] is not None:
        yield words("available", share=words.share(page["availability"]))
    if page["lit_by_day_h"] >= _WORTH_TELLING_H:
        hours = words.duration(page["lit_by_day_h"])
        yield words("day", hours=hours, against=words.duration(page["lit_by_day_against_command_h"]))
    if page["data_quality"] is not None:
        in_cut = page["data_quality_cut"]
        cut = "" if in_cut is None else words("quality_cut", share=words.share(in_cut))
        yield words("quality", share=words.share(page["data_quality"]), cut=cut)


def _deviations(page: Page, words: Words) -> Iterator[str]:
    for each in page["deviations"]:
        what = words(each["kind"], n=each["members"], of=each["of"])
        names = [str(name).partition("/")[2] for name in each["names"]] if each["kind"] != "gateway-away" else []
        rest = each["members"] - len(names)
        shown = ", ".join([*names, *([words("more", n=rest)] if names and rest > 0 else [])])
        yield _after_colon(_span(each, page, words), what + (f" ({shown})" if shown else ""), words)
    if page["deviations_dropped"]:
        yield words("dropped", n=page["deviations_dropped"])


def _interventions(page: Page, words: Words) -> Iterator[str]:
    for each in page["interventions"]:
        value = "" if each["value"] is None else f" {each['value']:g} %"
        if str(each["target"]).startswith("segment/"):
            value = ""
        by = f" {words('by', by=each['by'])}" if each["by"] else ""
        order = f", {words('order', order=each['work_order'])}" if each["work_order"] else ""
        reason = each["reason"] or words("no_reason")
        kind, _, identity = str(each["target"]).partition("/")
        what = f"{words(each['kind'])}, {words(kind)} {identity}{value}{by}{order}"
        yield _after_colon(_span(each, page, words), _after_colon(what, reason, words), words)
    if page["interventions_dropped"]:
        yield words("more", n=page["interventions_dropped"])


def _fine(page: Page, words: Words) -> Iterator[str]:
    programs = (
        words("program", **{**each, "rule": words("rule_default") if each["rule"] == "default" else each["rule"]})
        for each in page["programs"]
    )
    yield " ".join([*programs, *_legal(page, words)])
    ways = [words(f"by_{way}", n=number) for way, number in page["energy"]["by"].items()]
    if ways:
        yield words("energy_by", ways=", ".join(ways))
    if page["without_node"]:
        yield words("without_node", n=page["without_node"], of=page["members"])
    if page["alarms"]:
        alarms = ", ".join(f"{name} {number}" for name, number in page["alarms"].items())
        yield _after_colon(words("alarms"), alarms, words) + "."


def _legal(page: Page, words: Words) -> Iterator[str]:
    legal = page["legal"]
    if legal is None:
        return
    title = legal["title_local"] if words.lang == "fr" and page["country"] == "FR" else legal["title"]
    yield words("legal", title=title, law=legal["law"])
    for each in legal["derogations"]:
        reason = f" ({each['reason']})" if each["reason"] else ""
        yield words("derogation", reference=each["reference"], issuer=each["issuer"], reason=reason)


def _seal(night: SealedNight, words: Words) -> str:
    state = words("intact") if night.is_intact else words("altered", verdict=night.verdict)
    previous = night.record.get("previous")
    before = words("first") if previous is None else str(previous)
    parts = [
        element("p", [element("strong", [escaped(state)])]),
        element("p", [escaped(words("seal")), ": ", element("code", [escaped(night.sha256)])]),
        element("p", [escaped(words("previous")), ": ", element("code", [escaped(before)])]),
        _p(words("note"), "fine"),
    ]
    return element("div", parts, **{"class": "seal" if night.is_intact else "seal broken"})


def _span(entry: Page, page: Page, words: Words) -> str:
    """From when to when, by the town's clock."""
    zone = ZoneInfo(str(page["timezone"]))
    start = words.clock(datetime.fromisoformat(entry["from"]).astimezone(zone))
    if entry["to"] is None:
        return f"{start} - {words('still')}"
    return words("from_to", start=start, end=words.clock(datetime.fromisoformat(entry["to"]).astimezone(zone)))


def _listed(lines: Iterable[str], none: str) -> Iterator[str]:
    items = [element("li", [escaped(line)]) for line in lines]
    yield element("ul", items) if items else _p(none)


def _after_colon(head: str, rest: str, words: Words) -> str:
    return f"{head}{SPACE if words.lang == 'fr' else ''}: {rest}"


def _row(cells: Iterable[str], kind: str = "") -> str:
    attributes = {"class": kind} if kind else {}
    return element("tr", [element("td", [escaped(cell)]) for cell in cells], **attributes)


def _p(words: str, kind: str = "") -> str:
    attributes = {"class": kind} if kind else {}
    return element("p", [escaped(words)], **attributes)


def _kwh(value: float | None, words: Words) -> str:
    return "-" if value is None else words.number(value)
