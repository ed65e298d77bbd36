"""The words of the page, in English and French; numbers, durations and dates as each language writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from controller.cli.year.elements import SPACE

_DAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "fr": ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
}
_MONTHS = {
    "en": ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December"),
    "fr": ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre",
           "novembre", "décembre"),
}  # fmt: skip
_ENGLISH = {
    "title": "Proof of the night",
    "summary": "The night at a glance",
    "group": "group",
    "lights": "Lights",
    "cut": "Cut decided",
    "really_dark": "Really dark",
    "not_measured": "Not measured",
    "used": "Used",
    "saved": "Saved",
    "deviations": "Deviations",
    "site": "The whole town",
    "commanded": "commanded",
    "measured": "measured",
    "lit": "lit",
    "dark": "dark",
    "unknown": "not measured",
    "cut_band": "cut",
    "sun_down": "sun down",
    "no_cut": "No cut was decided for this night.",
    "cut_words": "Cut decided {spans}: {decided}. Really dark for {dark}, the mean of all lights{share}.",
    "cut_by_command": "Lit in the cut by command, see below: {hours}.",
    "cut_against": "Lit in the cut against the command: {hours}.",
    "cut_unknown": "Not measured in the cut: {hours}; that time counts neither as dark nor as lit.",
    "energy_words": "{used} kWh used; {baseline} kWh at full power from sunset to sunrise: {saved} kWh saved.",
    "energy_more": "{used} kWh used; {baseline} kWh at full power from sunset to sunrise: {saved} kWh more.",
    "energy_unknown": "Energy was not measured.",
    "energy_by": "Energy by {ways}.",
    "by_counter": "the lamp's own counter ({n})",
    "by_power": "its power over time ({n})",
    "by_profile": "its rated power while it was fed ({n})",
    "available": "Of the time that light was commanded, {share} was really lit.",
    "day": "Lit while the sun was up: {hours}, {against} of it against the command.",
    "quality": "Good measurements for {share} of the 24 hours{cut}.",
    "quality_cut": ", {share} of the cut",
    "without_node": "{n} of {of} lights have no measurement of their own: they count as lit while their contactor is "
    "closed, and a burnt-out one is not seen.",
    "program": "Plan {plan}, program {program} ({rule}).",
    "rule_default": "no special rule",
    "legal": "Legal category: {title} ({law}).",
    "derogation": "Derogation {reference}, {issuer}{reason}.",
    "no_deviation": "None that lasted longer than the reporting delay.",
    "lit-against-command": "commanded dark, {n} of {of} lit",
    "dark-against-command": "commanded lit, {n} of {of} dark",
    "not-measured": "{n} of {of} not measured",
    "gateway-away": "the gateway did not run: nothing commanded, nothing measured",
    "dropped": "{n} shorter ones are not listed; the figures include them.",
    "interventions": "Interventions",
    "no_intervention": "None.",
    "override": "override",
    "relight": "light on demand",
    "maintenance": "works",
    "still": "still in force",
    "order": "work order {order}",
    "no_reason": "no reason given",
    "by": "by {by}",
    "more": "and {n} more",
    "alarms": "Alarms raised",
    "intact": "Checked: this page shows what was sealed at noon, unaltered.",
    "altered": "NOT INTACT: {verdict}.",
    "seal": "Seal of the night (SHA-256)",
    "proof": "Proof (SHA-256)",
    "previous": "Night before",
    "first": "this is the first night on record",
    "note": "Measured is the lamp's level and power, or the auxiliary contact of the contactor; not the light on the "
    "ground. The hashes form a chain over the nights: whoever changed a page afterwards would have to change every "
    "later one, so keep the seal somewhere else. They are no signature: they do not prove who wrote the page.",
    "and": " and ",
    "from_to": "from {start} to {end}",
    "night_of": "of {first} to {second}",
    "of_lights": "{n} lights",
    "energy_gap": "What was used while nothing was measured is not in it, so the saving is less than that.",
    "lamp": "lamp",
    "segment": "segment",
}
_FRENCH = {
    "title": "Preuve de la nuit",
    "summary": "La nuit en bref",
    "group": "groupe",
    "lights": "Points",
    "cut": "Coupure décidée",
    "really_dark": "Réellement éteint",
    "not_measured": "Non mesuré",
    "used": "Consommé",
    "saved": "Économisé",
    "deviations": "Écarts",
    "site": "Toute la commune",
    "commanded": "commandé",
    "measured": "mesuré",
    "lit": "allumé",
    "dark": "éteint",
    "unknown": "non mesuré",
    "cut_band": "coupure",
    "sun_down": "soleil couché",
    "no_cut": "Aucune coupure n'était décidée pour cette nuit.",
    "cut_words": "Coupure décidée {spans} : {decided}. Réellement éteint pendant {dark}, en moyenne des points{share}.",
    "cut_by_command": "Allumé sur ordre pendant la coupure, voir plus bas : {hours}.",
    "cut_against": "Allumé sans ordre pendant la coupure : {hours}.",
    "cut_unknown": "Non mesuré pendant la coupure : {hours} ; ce temps ne compte ni comme éteint ni comme allumé.",
    "energy_words": "{used} kWh consommés ; {baseline} kWh à pleine puissance du coucher au lever du soleil : "
    "{saved} kWh économisés.",
    "energy_more": "{used} kWh consommés ; {baseline} kWh à pleine puissance du coucher au lever du soleil : "
    "{saved} kWh de plus.",
    "energy_unknown": "L'énergie n'a pas été mesurée.",
    "energy_by": "Énergie d'après {ways}.",
    "by_counter": "le compteur du point ({n})",
    "by_power": "sa puissance au fil du temps ({n})",
    "by_profile": "sa puissance nominale tant qu'il est alimenté ({n})",
    "available": "Quand l'éclairage était commandé, il était réellement allumé {share} du temps.",
    "day": "Allumé alors que le soleil était levé : {hours}, dont {against} sans ordre.",
    "quality": "Mesures valables pendant {share} des 24 heures{cut}.",
    "quality_cut": ", {share} de la coupure",
    "without_node": "{n} points sur {of} n'ont pas de mesure propre : ils comptent comme allumés quand leur contacteur "
    "est fermé, et une lampe grillée ne se voit pas.",
    "program": "Plan {plan}, programme {program} ({rule}).",
    "rule_default": "aucune règle particulière",
    "legal": "Catégorie légale : {title} ({law}).",
    "derogation": "Dérogation {reference}, {issuer}{reason}.",
    "no_deviation": "Aucun qui ait dépassé le délai de signalement.",
    "lit-against-command": "commandé éteint, {n} sur {of} allumés",
    "dark-against-command": "commandé allumé, {n} sur {of} éteints",
    "not-measured": "{n} sur {of} non mesurés",
    "gateway-away": "la passerelle ne fonctionnait pas : ni commande, ni mesure",
    "dropped": "{n} plus courts ne sont pas listés ; les chiffres les comprennent.",
    "interventions": "Interventions",
    "no_intervention": "Aucune.",
    "override": "commande manuelle",
    "relight": "éclairage à la demande",
    "maintenance": "travaux",
    "still": "toujours en vigueur",
    "order": "ordre de travail {order}",
    "no_reason": "sans motif indiqué",
    "by": "par {by}",
    "more": "et {n} de plus",
    "alarms": "Alarmes",
    "intact": "Vérifié : cette page montre ce qui a été scellé à midi, inchangé.",
    "altered": "NON INTACT : {verdict}.",
    "seal": "Sceau de la nuit (SHA-256)",
    "proof": "Preuve (SHA-256)",
    "previous": "Nuit précédente",
    "first": "c'est la première nuit enregistrée",
    "note": "Mesuré : le niveau et la puissance du point, ou le contact auxiliaire du contacteur ; pas la lumière au "
    "sol. Les empreintes forment une chaîne de nuit en nuit : qui changerait une page après coup devrait changer "
    "toutes les suivantes ; conservez donc le sceau ailleurs. Elles ne sont pas une signature : elles ne prouvent "
    "pas qui a écrit la page.",
    "and": " et ",
    "from_to": "de {start} à {end}",
    "night_of": "du {first} au {second}",
    "of_lights": "{n} points lumineux",
    "energy_gap": "Ce qui a été consommé sans être mesuré n'y est pas : l'économie réelle est moindre.",
    "lamp": "point",
    "segment": "départ",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Words:
    """One language."""

    lang: str
    texts: Mapping[str, str]

    def __call__(self, name: str, **values: object) -> str:
        """A text with its values put in."""
        return self.texts[name].format(**values)

    def number(self, value: float, digits: int = 1) -> str:
        """A number as people read it."""
        text = f"{value:,.{digits}f}"
        return text.replace(",", SPACE).replace(".", ",") if self.lang == "fr" else text

    def share(self, value: float) -> str:
        """A share as percent, never rounded up to all of it."""
        percent = value * 100.0
        shown = 99.9 if 99.9 < percent < 100.0 else percent
        return f"{self.number(shown, 0 if shown in (0.0, 100.0) else 1)}{SPACE}%"

    def duration(self, hours: float) -> str:
        """Hours as ``4 h 30``; less than an hour as ``12 min``."""
        minutes = round(hours * 60.0)
        if minutes == 0 and hours > 0.0:
            return f"{round(hours * 3600.0)}{SPACE}s"
        if minutes < 60:
            return f"{minutes}{SPACE}min"
        return f"{minutes // 60}{SPACE}h{SPACE}{minutes % 60:02}"

    def day(self, day: date, *, month: bool, year: bool) -> str:
        """``lundi 23 novembre 2026``, or less of it."""
        first = "er" if self.lang == "fr" and day.day == 1 else ""
        words = f"{_DAYS[self.lang][day.weekday()]} {day.day}{first}"
        if month:
            words += f" {_MONTHS[self.lang][day.month - 1]}"
        return f"{words} {day.year}" if year else words

    def night(self, night: str) -> str:
        """The night that begins on a date, with both of its days."""
        first = date.fromisoformat(night)
        second = first + timedelta(days=1)
        months = (first.year, first.month) != (second.year, second.month)
        begin = self.day(first, month=months, year=first.year != second.year)
        return self("night_of", first=begin, second=self.day(second, month=True, year=True))

    def clock(self, at: datetime) -> str:
        """A local clock time."""
        return f"{at:%H:%M}" if self.lang == "en" else f"{at:%H}{SPACE}h{SPACE}{at:%M}"


def words_of(lang: str) -> Words:
    """The words of a language, ``en`` or ``fr``."""
    return Words(lang, _FRENCH if lang == "fr" else _ENGLISH)
