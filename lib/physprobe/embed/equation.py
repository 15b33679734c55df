"""Equation: what is told of a clip by one who knows the equation it obeys, and no label.

The renderer's ``back`` reads the field off what is seen, to what its bytes allow, and the system's
``told`` the parameters off that, by least squares. Through the same probes, splits and intervals as
every encoder this is the ceiling: what no encoder can pass by physics alone. Of each number that is
told its logarithm stands beside it, of each angle sine and cosine with two harmonics, since probes
are linear.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from physprobe.config import kinds
from physprobe.embed._encoder import Embedding, Encoder, provenance
from physprobe.embed.section import EncoderSpec
from physprobe.statistics import targets

if TYPE_CHECKING:
    from xarray import Dataset

    from physprobe.store.zarrs import Lazy

SEES = ("video", "channels", "signal")
LEAST = 1e-12
"""Below which there is no logarithm."""


class Spec(EncoderSpec):
    """Which equations are tried."""

    SEES_SIMULATION: ClassVar[bool] = True
    SEES_RENDERING: ClassVar[bool] = True
    READS: ClassVar[tuple[str, str]] = ("", "")
    ROLE: ClassVar[Literal["rival", "ceiling"]] = "ceiling"

    kind: Literal["equation"] = "equation"
    """Family."""
    equations: tuple[str, ...] = ()
    """Kinds of systems whose equations are tried one after the other; by default the system's own.
    Of systems that are told apart by their equation those of all of them."""

    def tried(self, own: str) -> tuple[str, ...]:
        """Kinds of systems whose equations are tried on clips of a kind."""
        return self.equations or (own,)

    def finds(self, simulate: str, render: str) -> tuple[str, ...]:
        """Modules that it finds by name, for clips of a kind of system, rendered by a kind."""
        return (f"render.{render}", *(f"simulate.{kind}" for kind in self.tried(simulate)))

    def unread(self, simulate: str, render: str) -> str | None:
        """Why such clips aren't read; None if they are."""
        own = kinds.load("simulate", simulate)
        if not own.TOLD:
            return f"no estimator reads {simulate}. Hint: there are some of {', '.join(known())}."
        if not kinds.load("render", render).BACK:
            able = [kind for kind in kinds.names("render") if kinds.load("render", kind).BACK]
            return f"{render} can't be read back. Hint: {', '.join(able)} can."
        for kind in self.equations:
            other = kinds.load("simulate", kind)
            alike = other.GRID == own.GRID and other.PERIODIC == own.PERIODIC
            if not alike or not (own.GRID or other.FIELD == own.FIELD):
                return f"{kind} is no equation of what {simulate} shows. Hint: leave it out."
        return None


def problems(spec: Spec) -> Iterator[str]:
    """Kinds whose equation can't be read."""
    for kind in spec.equations:
        if kind not in (able := known()):
            yield (
                f"equations: no estimator reads {kind!r} off a clip."
                f" Hint: there are some of {', '.join(able)}."
            )


def known() -> tuple[str, ...]:
    """Kinds of systems that are read by their equation."""
    return tuple(kind for kind in kinds.names("simulate") if kinds.load("simulate", kind).TOLD)


def tubelet(spec: Spec) -> int | None:
    """Frames per token: all of a clip's, however many they are."""
    return None


def load(
    spec: Spec,
    *,
    frames: int,
    threads: int,
    simulation: "Dataset",
    rendering: Mapping[str, Any],
    **size: int,
) -> Encoder:
    """Give the encoder whose one layer, ``equation``, holds what is told of a clip.

    Parameters
    ----------
    spec : Spec
    frames : int
        Frames per clip.
    threads : int
        Clips at a time.
    simulation : Dataset
        Simulation store, of which the entry alone is read: what all clips share, no label.
    rendering : mapping
        Entry of the renderer.
    **size : int
        Of what is seen; any.

    Raises
    ------
    ValueError
        If no estimator reads such clips; the message names the systems that have one.
    """
    return Equation(spec, frames, threads, simulation.attrs["spec"], rendering)


class Equation(Encoder):
    """See :class:`physprobe.embed._encoder.Encoder`."""

    layers = ("equation",)
    dtype = "float32"
    grid = (1, 1)

    def __init__(
        self,
        spec: Spec,
        frames: int,
        threads: int,
        simulate: Mapping[str, Any],
        render: Mapping[str, Any],
    ):
        if lacking := spec.unread(simulate["kind"], render["kind"]):
            raise ValueError(f"equation: {lacking}")
        self.threads, self.spans = threads, np.array([[0, frames]])
        self._renderer = kinds.load("render", render["kind"])
        self._rendering = self._renderer.Spec.strict(render)
        tried = spec.tried(simulate["kind"])
        self._told = [_told(simulate, kind) for kind in tried]
        self.features = sum(
            len(_features(0.0, angle)) for _, n in self._told for angle in n.values()
        )
        self.provenance = provenance(f"equation of {', '.join(tried)}, known")

    def encode(self, video: "np.ndarray | Lazy", clips: np.ndarray) -> Embedding:
        """What is told of each clip, as one token.

        Parameters
        ----------
        video : ndarray or Lazy
            (clip, frame, ...), as the renderer made it.
        clips : ndarray
            (clip) number of each clip in its system.

        Raises
        ------
        ValueError
            If nothing can be told of a clip; the message names it.
        """
        with ThreadPoolExecutor(self.threads) as pool:
            found = list(pool.map(self._clip, video, clips))
        return Embedding(np.stack(found)[:, None, None].astype("float32"))

    def _clip(self, clip: np.ndarray, number: int) -> np.ndarray:
        field = self._renderer.back(self._rendering, np.asarray(clip))
        found = []
        for read, names in self._told:
            values = read(field)
            for name, angle in names.items():
                if not np.isfinite(values[name]):
                    raise ValueError(f"equation: {name} of clip {number} can't be told.")
                found += _features(values[name], angle)
        return np.array(found)


def _features(value: float, angle: bool) -> list[float]:
    """Number and its logarithm; or angle, and sines and cosines as probes are asked for them."""
    if not angle:
        return [value, float(np.log(max(abs(value), LEAST)))]
    turns = [order * value for order in targets.HARMONICS.values()]
    return [value, *(float(trig(turn)) for turn in turns for trig in (np.sin, np.cos))]


def _told(
    simulate: Mapping[str, Any], kind: str
) -> tuple[Callable[[np.ndarray], Mapping[str, float]], dict[str, bool]]:
    """What reads a field by the equation of a kind, and which of what it tells are angles.

    Of another kind than the simulation's the entry has the fields that grids share, and draws as
    they are by default.
    """
    system = kinds.load("simulate", kind)
    entry = dict(simulate)
    if kind != simulate["kind"]:
        shared = (
            {"clips", "frames", "size", "seed"} & entry.keys() & system.Spec.model_fields.keys()
        )
        entry = {"kind": kind} | {name: entry[name] for name in sorted(shared)}
    spec = system.Spec.strict(entry)
    units = system.label_units(spec)
    names = {name: units.get(name) == "rad" for name in system.TOLD}
    return lambda field: system.told(spec, field), names
