"""Figure: eigenvalues of the Koopman operators in the complex plane."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure, FigureBase
from matplotlib.patches import Circle

from physprobe.report import _axes, _palette

TITLE = "Koopman eigenvalues"
CAPTION = (
    "Eigenvalues of A in z[t+1] = A z[t] (principal components of the embedding) in the complex"
    " plane; inside the unit circle modes decay. Clouds are the eigenvalues of fits to bootstrap"
    " draws of the clips, and the brackets behind the spectral radius \N{GREEK SMALL LETTER RHO} its"
    " 95 % interval over those draws. Encoders in colour, controls in grey."
)


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw eigenvalues.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        ``encoder``, ``role``, ``label``, ``item`` (eigenvalue, cloud or radius), ``real``,
        ``imag``; the radius has ``value``, ``ci_low``, ``ci_high``.
    """
    looks = _axes.looks(frame)
    axes = part.subplots(1, len(looks), sharex=True, sharey=True, squeeze=False)[0]
    for ax, name in zip(axes, looks, strict=True):
        rows, look = frame[frame["encoder"] == name], looks[name]
        cloud, points = (rows[rows["item"] == item] for item in ("cloud", "eigenvalue"))
        ax.add_patch(Circle((0, 0), 1.0, fill=False, ec="0.35", lw=1.0))
        ax.axhline(0, color="0.88", lw=0.8, zorder=0)
        ax.axvline(0, color="0.88", lw=0.8, zorder=0)
        ax.scatter(cloud.real, cloud.imag, s=3, color=look.colour, alpha=0.10, lw=0)
        ax.scatter(
            points.real, points.imag, s=16, color=look.colour, ec="white", lw=0.5, zorder=3
        )
        radius = rows[rows["item"] == "radius"].iloc[0]
        ax.set_title(
            f"{radius.label}\n\N{GREEK SMALL LETTER RHO} = "
            + _axes.interval(radius.value, radius.ci_low, radius.ci_high, 3),
            color=look.colour if radius.role == "encoder" else _palette.INK,
        )
        ax.set_aspect("equal")
        ax.set_xlabel("real part")
    reach = max(1.08, np.nanmax(np.abs(frame[["real", "imag"]].to_numpy(float)), initial=0) * 1.05)
    axes[0].set(xlim=(-reach, reach), ylim=(-reach, reach), ylabel="imaginary part")
    _axes.title(part, TITLE)
    _axes.note(
        part,
        "Clouds and brackets: bootstrap over clips, refitted; brackets 95 %. Circle: modulus 1 per"
        " token. Controls in grey.",
    )


def figure(frame: pd.DataFrame) -> Figure:
    """Draw eigenvalues as a figure of their own."""
    return _axes.alone(panel, frame, (0.4 + 2.9 * frame["encoder"].nunique(), 4.1))
