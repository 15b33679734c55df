"""The Well as arXiv 2603.13227 reads it: windows, crops and labels of its three systems.

As its code has it (``physics_jepa/data.py``): a clip is the context, the first half of a window of
twice its frames; windows begin 1 stored frame apart (active matter) or 4; channels are groups in
the order of the files, within them that of the alphabet; values are in raw units. Of
Rayleigh-Benard convection the middle 128 columns are kept, of the shear flow the lower 256 rows,
and all of it is interpolated to 224 x 224 without antialiasing. Labels are z-scored by the means
and deviations of the grid of parameters (``z_alpha``, ...). Scored are the files of ``valid``.

What is wrong with it, and why it is here for comparison only: Chebyshev's points are taken for even
ones, so that boundary layers are stretched; half of a periodic shear flow isn't periodic;
Schmidt's and Prandtl's numbers are labels on a linear scale, on which .1, .2 and .5 are all alike;
channels aren't normalised, so that an encoder sees the loud ones; windows overlap almost whole;
every combination of parameters is fitted and scored; and encoders were chosen by the very files
that are scored, as the least error of any epoch. The published Gaussian noise on inputs, in
validation too, belongs to the training and is not added.

References
----------
Representation Learning for Spatiotemporal Physical Systems, arXiv 2603.13227.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from physprobe.scenes.films.film import Fault
from physprobe.scenes.well import grid
from physprobe.scenes.well.file import Header
from physprobe.scenes.well.folder import Listed

SIDE = 224


@dataclass(frozen=True)
class Scale:
    """Of a label: its mean and deviation, of its decimal logarithm perhaps."""

    mean: float
    deviation: float
    log: bool = False

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Values (clip,) z-scored."""
        return ((np.log10(values) if self.log else values) - self.mean) / self.deviation


@dataclass(frozen=True)
class Protocol:
    """What is done with one data set."""

    offset: int
    """Stored frames from the start of a window to that of the next."""
    crop: Mapping[str, tuple[int, int]]
    """Points that are kept, by place."""
    labels: Mapping[str, Scale]


PROTOCOLS = {
    "active_matter": Protocol(1, {}, {"alpha": Scale(-3, 1.41), "zeta": Scale(9, 5.16)}),
    "rayleigh_benard": Protocol(
        4,
        {"x": (192, 320)},
        {"Prandtl": Scale(2.69, 3.38), "Rayleigh": Scale(8, 1.41, log=True)},
    ),
    "shear_flow": Protocol(
        4,
        {"y": (0, 256)},
        {"Reynolds": Scale(4.85, 0.61, log=True), "Schmidt": Scale(2.69, 3.38)},
    ),
}


def faults(found: Listed) -> Iterator[Fault]:
    """Files that the protocol says nothing of."""
    for name, header in found.headers.items():
        known = PROTOCOLS.get(header.dataset)
        if known is None:
            told = f"is of {header.dataset}; the published protocol is of {', '.join(PROTOCOLS)}"
            yield Fault(name, told)
            continue
        for label in known.labels.keys() - header.scalars.keys():
            yield Fault(name, f"has no scalar {label}, which the published protocol needs")
        for dim, (_, last) in known.crop.items():
            if last > len(header.places[dim]):
                told = f"has {len(header.places[dim])} points along {dim}, and the published crop"
                yield Fault(name, f"{told} ends at {last}")


def channels(header: Header) -> tuple[str, ...]:
    """Channels in the published order."""
    found = sorted(header.channels, key=lambda channel: (channel.group, channel.field))
    return tuple(channel.name for channel in found)


def cut(header: Header) -> set[str]:
    """Places of which only a part is kept."""
    protocol = PROTOCOLS.get(header.dataset)
    return set(protocol.crop) if protocol else set()


def axis(header: Header, dim: str) -> grid.Axis:
    """Points of a place that are kept, interpolated to the published side as if they were even."""
    stored = header.places[dim]
    protocol = PROTOCOLS.get(header.dataset)
    first, last = protocol.crop.get(dim, (0, len(stored))) if protocol else (0, len(stored))
    return grid.Axis(stored).then(grid.linear(len(stored), SIDE, first, min(last, len(stored))))


def labels(found: Listed) -> dict[str, Callable[[Mapping[str, np.ndarray]], np.ndarray]]:
    """Labels as published, by name, each from the scalars (clip,)."""
    headers = [*found.headers.values()]
    if not headers or headers[0].dataset not in PROTOCOLS:
        return {}
    scales = PROTOCOLS[headers[0].dataset].labels

    def of(name: str) -> Callable[[Mapping[str, np.ndarray]], np.ndarray]:
        return lambda scalars: scales[name](scalars[name])

    return {f"z_{name}": of(name) for name in scales}
