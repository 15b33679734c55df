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

from physprobe.fit.methods._rollout_settings import Settings
from physprobe.fit.section import Given


class Spec(Settings):
    """Forecast of angles, by the encoder's predictor and by linear models beside it."""

    ROLE = "rollout"
    ROLLS = True
    MOVES = True
    TRAINED: ClassVar[bool] = True

    kind: Literal["rollout"] = "rollout"
    """The encoder's own predictor, rolled on from every held-out start."""


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
