"""EnergyPlus behind the plant seam: the daemon's core against the schedules that a reference building comes with."""
