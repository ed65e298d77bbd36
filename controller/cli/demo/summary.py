"""How the demo closes: what the night cost and saved, as the daemon's own accounts say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from config.site import Site
from controller.cli.demo.scene import Scene


def summary(site: Site, scene: Scene) -> str:
    """The last lines. Without a closed night (ended early) the account so far."""
    lines = ["", f"One night in {site.name}", *_account(scene), *_openings(site, scene)]
    lines.extend(f"  still on        alarm {key}" for key in sorted(scene.alarms))
    return "\n".join(lines)


def _account(scene: Scene) -> list[str]:
    if scene.nights:
        accounts: list[Mapping[str, object]] = list(scene.nights.values())
        title = "the whole night"
    else:
        gateway = scene.states.get("gateway", {})
        accounts = [{key.removeprefix("night_"): value for key, value in gateway.items()}]
        title = "the night so far"
    lamps = sum(_number(account, "lamps") for account in accounts)
    if not lamps:
        return ["  nothing was measured yet"]
    energy, baseline = (sum(_number(account, name) for account in accounts) for name in ("energy_kwh", "baseline_kwh"))
    lit, dark = (sum(_number(a, name) * _number(a, "lamps") for a in accounts) / lamps for name in ("lit_h", "dark_h"))
    share = f" ({100 * (baseline - energy) / baseline:.0f} % less)" if baseline > 0 else ""
    return [
        f"  account         {title}, {lamps:.0f} lamps",
        f"  energy          {energy:.2f} kWh",
        f"  lit             {lit:.2f} h a lamp",
        f"  dark            {dark:.2f} h a lamp between sunset and sunrise",
        f"  saved           {baseline - energy:.2f} kWh against {baseline:.2f} kWh lit from dusk to dawn{share}",
    ]


def _openings(site: Site, scene: Scene) -> list[str]:
    lines = []
    for opening in scene.openings:
        at = datetime.fromisoformat(str(opening["ts"])).astimezone(site.place.zone)
        room, wanted = opening.get("temperature_c"), opening.get("setpoint_c")
        shown = f"{room:.1f} °C" if isinstance(room, int | float) else "unknown"
        zone = str(opening["target"]).removeprefix("zone/")
        lines.append(f"  at opening      {at:%a %H:%M}  {zone:<24} {shown} (wanted {wanted:g} °C)")
    return lines


def _number(account: Mapping[str, object], name: str) -> float:
    value = account.get(name)
    return float(value) if isinstance(value, int | float) else 0.0
