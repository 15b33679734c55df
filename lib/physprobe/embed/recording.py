"""Recording: where a clip comes from and nothing that it shows; what a list of files gives away.

Films that are sorted by what they show, or are longer the more there is to see, can be told apart
unseen. Of any system it is the place of a clip in the list; of films that of its film, of the
window within it, and how long the film is, how fast, and how large.
"""

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from physprobe.embed import _frames
from physprobe.embed._encoder import Embedding, Encoder, provenance
from physprobe.embed.section import EncoderSpec

if TYPE_CHECKING:
    from xarray import Dataset

    from physprobe.store.zarrs import Lazy

SEES = ("video", "channels", "signal")
POWERS = (1, 2, 3)
"""Of a place in the list, from -1 to 1: lists that are sorted, or in parts. Beside them stands the
place's quantile of a normal, which a sorted label is most alike."""
TURNS = (2, 3, 4)
"""Files after which a list begins anew: lists in which classes take turns."""


class Spec(EncoderSpec):
    """What stands in for an embedding of a clip."""

    SEES_SIMULATION: ClassVar[bool] = True
    READS: ClassVar[tuple[str, str]] = ("", "the list of clips, which every system has")

    kind: Literal["recording"] = "recording"
    """Family."""
    tubelet: int = Field(2, gt=0)
    """Frames per token [frames]; the same as the encoder's that it is a control of."""


def tubelet(spec: Spec) -> int:
    """Frames per token."""
    return spec.tubelet


def load(spec: Spec, *, frames: int, simulation: "Dataset", **size: int) -> Encoder:
    """Give the encoder whose one layer, ``recording``, is the same at all times of a clip.

    Parameters
    ----------
    spec : Spec
        Frames per token.
    frames : int
        Frames per clip.
    simulation : Dataset
        Simulation store; of films its attribute ``films`` says what they are.
    **size : int
        Not used.

    Raises
    ------
    ValueError
        If a clip can't be cut into tubelets.
    """
    return Recording(spec, frames, simulation)


class Recording(Encoder):
    """See :class:`physprobe.embed._encoder.Encoder`."""

    layers = ("recording",)
    dtype = "float32"
    grid = (1, 1)

    def __init__(self, spec: Spec, frames: int, simulation: "Dataset"):
        self.spans = _frames.spans(frames, spec.tubelet)
        self._known = known(simulation)
        self.features = self._known.shape[1]
        self.provenance = provenance("place in the list of files, their length, rate and size")

    def encode(self, video: "np.ndarray | Lazy", clips: np.ndarray) -> Embedding:
        """What is known of each clip unseen.

        Parameters
        ----------
        video : ndarray or Lazy
            (clip, frame, ...); not used.
        clips : ndarray
            (clip) number of each clip in its system.
        """
        found = np.repeat(self._known[clips][:, None], len(self.spans), axis=1)
        return Embedding(found[:, None].astype("float32"))


def known(simulation: "Dataset") -> np.ndarray:
    """Numbers (clip, feature) about -1 to 1, of the list that clips come from.

    Parameters
    ----------
    simulation : Dataset
        With ``clip``; of films with ``film`` and ``window`` (clip), and of each film ``frames``,
        ``frames_per_second`` and ``size`` in its attribute ``films``.
    """
    count = simulation.sizes["clip"]
    films = simulation.attrs.get("films")
    if not films:
        return _placed(np.arange(count))
    order = {name: number for number, name in enumerate(films)}
    names = [str(name) for name in simulation["film"].values]
    facts = np.array(
        [
            [each["frames"], each["frames_per_second"] or 1.0, *each["size"]]
            for each in films.values()
        ],
        float,
    )
    of_film = np.array([order[name] for name in names])
    window = simulation["window"].values
    return np.concatenate(
        [_placed(of_film), _scaled(window)[:, None], _scaled(np.log(facts))[of_film]], axis=1
    )


def _placed(place: np.ndarray) -> np.ndarray:
    """Powers of a place (clip,) in a list, and where in its turn it is."""
    from scipy.special import ndtri

    scaled = _scaled(place)
    turns = [2 * np.pi * place / turn for turn in TURNS]
    found = [scaled**power for power in POWERS]
    found.append(_scaled(ndtri((place + 0.5) / (place.max() + 1.0))))
    return np.stack([*found, *map(np.cos, turns), *map(np.sin, turns[1:])], axis=1)


def _scaled(values: np.ndarray) -> np.ndarray:
    """Values (row, ...) from -1 to 1; 0 where all are alike."""
    low, high = values.min(0), values.max(0)
    return (2 * values - low - high) / np.where(high > low, high - low, 1.0)
