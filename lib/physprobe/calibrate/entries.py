"""Calibrate's section of ``config.yaml``."""

from typing import Literal

from pydantic import Field

from physprobe.config.spec import Spec


class Calibration(Spec):
    """How often tests and solvers are run on noise, and intervals on planted truth."""

    noise: int = Field(200, gt=0)
    """Repetitions of the complete pipeline on features that know nothing of the labels."""
    planted: int = Field(400, gt=0)
    """Repetitions where the truth is known."""
    worlds: Literal["one", "few", "all"] = "few"
    """In which worlds intervals are tried: the first one, each size and spectrum once, all 144."""
    chance: int = Field(20, gt=1)
    """Repetitions of each solver on noise, for its chance level."""
    shortcuts: int = Field(100, ge=0)
    """Studies of an encoder that knows nothing but a planted shortcut, of each shortcut."""


class Entries(Spec):
    """What the config says of the calibration."""

    calibration: Calibration | None = None
    """Rates of the tests on noise, of the intervals on planted truth; on the page if it is here."""


def problems(config: Entries) -> tuple[str, ...]:
    """Nothing: it stands alone."""
    return ()
