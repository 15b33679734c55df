"""Figure: eigenvalues of the Koopman operators in the complex plane."""

import math
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.patches import Circle
from matplotlib.ticker import MaxNLocator

from physprobe.drawing import canvas, palette
from physprobe.figures import _frames

NEEDS = ("dynamics",)
TITLE = "Koopman eigenvalues"
SMALLEST = 0.05  # window of a panel whose eigenvalues are all at 1
CAPTION = (
    "Eigenvalues of A in z[t+1] = A z[t] (principal components of the embedding) in the complex"
    " plane; inside the unit circle modes decay. Clouds are the eigenvalues of fits to bootstrap"
    " draws of the clips, and the brackets behind the spectral radius \N{GREEK SMALL LETTER RHO}"
    " its 95 % interval over those draws. Each panel has its own scale. Encoders in colour,"
    " controls in grey; of several members the first one's."
)


frame = _frames.eigenvalues


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw eigenvalues.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        ``encoder``, ``role``, ``label``, ``item`` (eigenvalue, cloud or radius), ``real``,
        ``imag``; the radius has ``value``, ``ci_low``, ``ci_high``.
    """
    looks = canvas.looks(frame)
    columns = _columns(part, len(looks))
    grid = part.subplots(math.ceil(len(looks) / columns), columns, squeeze=False)
    for ax in grid.flat[len(looks) :]:
        ax.remove()
    axes = grid.flat[: len(looks)]
    for ax, name in zip(axes, looks, strict=True):
        rows, look = frame[frame["encoder"] == name], looks[name]
        cloud, points = (rows[rows["item"] == item] for item in ("cloud", "eigenvalue"))
        ax.add_patch(Circle((0, 0), 1.0, fill=False, ec="0.35", lw=1.0))
        ax.axhline(0, color="0.88", lw=0.8, zorder=0)
        ax.axvline(0, color="0.88", lw=0.8, zorder=0)
        ax.scatter(cloud.real, cloud.imag, s=3, color=look.colour, alpha=0.10, lw=0)
        ax.scatter(points.real, points.imag, s=16, color=look.colour, ec="white", lw=0.5, zorder=3)
        radius = rows[rows["item"] == "radius"].iloc[0]
        ax.set_title(
            f"{radius.label}\n\N{GREEK SMALL LETTER RHO} = "
            + canvas.interval(radius.value, radius.ci_low, radius.ci_high, 3),
            color=look.colour if radius.role == "encoder" else palette.INK,
        )
        ax.set_aspect("equal")
        _zoom(ax, rows[rows["item"] != "radius"])
    for place, ax in enumerate(axes):
        if place % columns == 0:
            ax.set_ylabel("imaginary part")
        if place + columns >= len(looks):
            ax.set_xlabel("real part")
    canvas.title(part, TITLE)
    canvas.note(
        part,
        "Clouds and brackets: bootstrap over clips, refitted; brackets 95 %. Circle: modulus 1 per"
        " token. Each panel has its own scale. Controls in grey.",
    )


def _zoom(ax: Axes, values: pd.DataFrame) -> None:
    """Square window that holds all eigenvalues and the circle's nearest point, 1."""
    left, right = min(values.real.min(), 1.0), max(values.real.max(), 1.0)
    side = max(right - left, 2 * values.imag.abs().max(), SMALLEST) * 1.2
    middle = (left + right) / 2
    ax.set(xlim=(middle - side / 2, middle + side / 2), ylim=(-side / 2, side / 2))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(4))


def _columns(part: FigureBase, count: int) -> int:
    """Columns that make the panels as large as they can be."""
    whole: Any = part  # of figures and subfigures alike; their base class has no box
    width, height = whole.bbox.width, whole.bbox.height

    def side(columns: int) -> float:
        return min(width / columns, 0.8 * height / math.ceil(count / columns))

    return max(range(1, count + 1), key=side)


def figure(frame: pd.DataFrame) -> Figure:
    """Draw eigenvalues as a figure of their own."""
    return canvas.alone(panel, frame, (0.4 + 2.9 * frame["encoder"].nunique(), 3.9))
