"""The text of an EnergyPlus model (IDF): objects of a class name and fields, read, changed and written again. Pure.

Class names and names of things are compared without regard to case, as EnergyPlus does. Comments are not kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SIZING_RUNS, _WEATHER_RUNS = 3, 4
"""Fields of SimulationControl."""
_REPORTS = (
    "Output:Variable", "Output:Meter", "Output:Table:Monthly", "Output:Table:SummaryReports", "Output:Table:TimeBins",
    "Output:SQLite", "Output:VariableDictionary", "Output:Surfaces:Drawing", "Output:Surfaces:List",
    "Output:Constructions",
)  # fmt: skip


@dataclass(slots=True)
class Entry:
    """One object of a model; ``fields`` come after the class name."""

    kind: str
    fields: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The first field."""
        return self.fields[0] if self.fields else ""

    def get(self, index: int) -> str:
        """A field, empty where the object ends before it."""
        return self.fields[index] if index < len(self.fields) else ""

    def text(self) -> str:
        """As a model file has it."""
        return ",\n  ".join([self.kind, *self.fields]) + ";\n"


class Model:
    """A model as a list of objects."""

    def __init__(self, text: str) -> None:
        self.entries = list(_entries(text))

    def of(self, *kinds: str) -> list[Entry]:
        """The objects of some classes, in the order of the file."""
        wanted = {kind.lower() for kind in kinds}
        return [entry for entry in self.entries if entry.kind.lower() in wanted]

    def named(self, kind: str, name: str) -> Entry | None:
        """The object of a class with a name."""
        return next((entry for entry in self.of(kind) if same(entry.name, name)), None)

    def remove(self, *kinds: str) -> None:
        """Take out every object of some classes."""
        gone = {kind.lower() for kind in kinds}
        self.entries = [entry for entry in self.entries if entry.kind.lower() not in gone]

    def text(self) -> str:
        """The whole model."""
        return "\n".join(entry.text() for entry in self.entries)

    @property
    def steps_per_hour(self) -> int:
        """Zone time steps an hour."""
        found = self.of("Timestep")
        return int(float(found[0].name)) if found else 6

    @property
    def heated_zones(self) -> list[str]:
        """The zones with a thermostat, lists of zones resolved."""
        lists = {entry.name.lower(): entry.fields[1:] for entry in self.of("ZoneList")}
        names = (entry.get(1) for entry in self.of("ZoneControl:Thermostat"))
        return list(dict.fromkeys(zone for name in names for zone in lists.get(name.lower(), [name])))


def same(one: str, other: str) -> bool:
    """Whether both name the same thing."""
    return one.lower() == other.lower()


def run_between(model: Model, first: date, last: date) -> None:
    """Run the weather from ``first`` to the end of ``last``, and nothing else; local standard time throughout.

    The weekdays are those of the dates, so that the model's weeks and holidays fall where ours do. How the model
    sizes its plant stays as it is: that decides how strong the boiler is.
    """
    model.remove("RunPeriodControl:DaylightSavingTime", "RunPeriod")
    period = ["veilleuse", *_day(first), *_day(last), WEEKDAYS[first.weekday()], "No", "No", "No", "Yes", "Yes"]
    model.entries.append(Entry("RunPeriod", period))
    for control in model.of("SimulationControl"):
        control.fields[_SIZING_RUNS], control.fields[_WEATHER_RUNS] = "No", "Yes"


def only_what_is_asked(model: Model) -> None:
    """Write none of the tables, drawings and series that the model asks for: they cost more time than the run.

    The rest stays, meters of the model's own above all: some models do not run without them.
    """
    model.remove(*_REPORTS)


def _day(day: date) -> list[str]:
    return [str(day.month), str(day.day), str(day.year)]


def _entries(text: str) -> Iterator[Entry]:
    bare = "\n".join(line.partition("!")[0] for line in text.splitlines())
    for chunk in bare.split(";"):
        words = [word.strip() for word in chunk.split(",")]
        if words[0]:
            yield Entry(words[0], words[1:])
