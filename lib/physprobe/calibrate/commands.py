"""Calibrate's command."""

from typing import TYPE_CHECKING, Any

from physprobe.config.stages import Command, Figure, Stage

if TYPE_CHECKING:
    from physprobe.calibrate.entries import Calibration


def _entry(config: Any, asked: Any) -> "Calibration":
    from physprobe.calibrate.entries import Calibration

    return config.calibration or Calibration()


STAGE = Stage(
    {"calibrate": Command(entry=_entry, model="calibrate.Calibration")},
    figures=lambda config: {
        "calibration": Figure("calibration", ("results/calibration.json",), "calibration")
    },
)
