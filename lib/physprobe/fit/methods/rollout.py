"""Rollout: roll latents on by the encoder's own predictor, and see how long their state is right.

    z[t + 1] = P(z[t]),    and beside it
    z[t + 1] = z[t] + B (z[t], ..., z[t - p + 1]) + b    for p = 1, 2, 3,    and  z[t + 1] = z[t]

Angles are read off latents by ridge regression of their sines and cosines, fitted on training
clips to latents of frames that were seen. The error of a forecast is the root mean square over
angles of their differences [rad], and it is *valid* until that exceeds a threshold: time zero if
the state is not read well enough in the first place. Of a clip's valid time in units of its own
Lyapunov time the same number of digits has been lost in every clip.

Two forecasts need no predictor of the encoder, where the system has an equation that can be solved
from any state: ``state_mlp``, a small network of true states, and ``equation``, the true equation
from the state that a small network reads off the latent at the start; see ``_forecasts``.

``energy_drift`` is how far an energy that is read off rolled latents has gone from that at the
start, in deviations between clips. Its null is the model ``encoded``: what the same reading wanders
along latents of frames that were seen, whose true energy is the same throughout.

Beyond a few Lyapunov times no forecast is right, but it may still be of the same kind of motion.
So every model is rolled on from the first start past the longest horizon, for as many tokens as
were seen, and what is read there is compared with the same reading of those, over all clips:

    energy_distance    Wasserstein distance of both histograms, in deviations between clips
    spectrum_distance  total variation of both power spectra of sines and cosines of the angles

Their null exchanges both in some of the clips, drawn at random; their p is small where what is
rolled can be told from what was seen. That is meant for motion that is not damped.
"""

from typing import ClassVar, Literal

from pydantic import Field, field_validator

from physprobe.fit.methods._choices import Horizons
from physprobe.fit.section import Given, MethodSpec


class Spec(MethodSpec):
    """Forecast of angles, by the encoder's predictor and by linear models beside it."""

    ROLE = "rollout"
    ROLLS = True
    MOVES = True
    TRAINED: ClassVar[bool] = True

    kind: Literal["rollout"] = "rollout"
    """The encoder's own predictor, rolled on from every held-out start."""
    angles: tuple[str, ...] = Field(("theta1", "theta2"), min_length=1)
    """States that are angles [rad]."""
    energy: tuple[str, ...] = ("kinetic", "potential")
    """States whose sum is conserved; empty: no drift is measured."""
    pace: str = "lyapunov"
    """Label of a clip's Lyapunov exponent [1/s]; valid times are told in its units too."""
    threshold: float = Field(0.3, gt=0)
    """Error [rad] up to which a forecast is valid."""
    horizons: Horizons = (1, 2, 4, 8, 16, 32)
    """Tokens ahead whose errors are told; the largest one is where valid times end. Those that are
    beyond a clip's end are left out: tokens may be of several frames."""
    orders: tuple[Literal[1, 2, 3], ...] = (1, 2, 3)
    """Tokens that the linear models look at."""
    stride: int = Field(4, ge=1)
    """Tokens from one start to the next."""
    skip: int = Field(2, ge=2)
    """First token that is a start: before it linear models lack history, or the encoder frames."""
    outer: int = Field(5, ge=2)
    """Outer folds; not used where the system declares its split."""
    inner: int = Field(4, ge=2)
    """Folds inside the training clips, on which penalties are chosen."""
    bootstraps: int = Field(2000, ge=100)
    """Bootstrap draws over clips for the intervals."""
    permutations: int = Field(200, ge=1)
    """Draws of the null of invariant statistics."""
    seed: int = Field(0, ge=0)
    """Seed of folds, draws and first weights."""

    @field_validator("angles", "energy")
    @classmethod
    def _each_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(names)) < len(names):
            raise ValueError("each state once")
        return names

    @property
    def targets(self) -> tuple[str, ...]:
        """States that the system has to have."""
        return (*self.angles, *self.energy)


def fit(spec: Spec, given: Given) -> tuple[list[dict], dict]:
    """Rows and the block ``rollouts``.

    Returns
    -------
    rows : list of dict
        By ``model``: ``angle_error`` [rad] and ``energy_drift`` by ``horizon``, ``valid_time`` [s]
        and, where clips have a Lyapunov exponent, ``valid_lyapunov_times``, each the mean over
        starts and clips with interval over clips; ``energy_distance`` and ``spectrum_distance``
        with their null.
    blocks : dict
        ``rollouts``: clip and group of the held-out clips, their mean valid times by model.

    Raises
    ------
    ValueError
        If a state is not there, clips are too short, or a latent is not finite.
    """
    from physprobe.fit.methods import _rolled

    return _rolled.fit(spec, given)
