"""Figure: where frames lie in a latent, along its first two principal axes, by what they show."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.figure import Figure, FigureBase

from physprobe.drawing import canvas
from physprobe.figures import _frames
from physprobe.store import inputs, results, zarrs

NEEDS = ("state",)
TITLE = "Latents, along their first two principal axes"
CAPTION = (
    "Each point is a frame of a clip: the encoder's latent of it, of one member where there are"
    " several, along the two axes that it varies most along, whose share of its variance is told."
    " The same points are coloured by angles, cyclically, and by energy where the system has one."
    " Every point of a clip is drawn or none, clips evenly spaced; nothing is fitted but the axes."
)
POINTS = 900
MOST = 3
"""States."""
CYCLIC = "sincos_"


def frame(study: _frames.Evidence) -> pd.DataFrame:
    """Places of frames of every encoder and control, once for each state."""
    return _frames.table(_lines(study))


def _lines(study: _frames.Evidence) -> Iterator[dict]:
    known = _known(study)
    for name in study.names:
        if (study.place, name) not in study.embeddings or name not in study.states:
            continue
        source = study.embeddings[study.place, name]
        skip = int(results.first(study.states)["spec"]["skip"])
        latent = study.features(name)[:, skip:]
        at = inputs.last_frames(source, study.system)[skip:]
        rows = latent.reshape(-1, latent.shape[-1])
        rows = rows - rows.mean(0)
        values, axes = np.linalg.eigh(rows.T @ rows)
        places = (rows @ axes[:, :-3:-1]).reshape(*latent.shape[:2], 2)
        shares = values[:-3:-1] / max(values.sum(), 1e-300)
        clips = np.unique(np.linspace(0, len(latent) - 1, max(1, POINTS // len(at))).astype(int))
        for state, (found, unit) in known.items():
            for clip in clips:
                for time, (x, y), value in zip(at, places[clip], found[clip][at], strict=True):
                    yield {
                        **_frames.about(study, name), "state": state, "clip": int(clip),
                        "frame": int(time), "x": x, "y": y, "value": float(value),
                        "share_x": shares[0], "share_y": shares[1], "unit": unit,
                    }  # fmt: skip


def _known(study: _frames.Evidence) -> dict[str, tuple[np.ndarray, str]]:
    """Values (clip, time) to colour by, with their unit: angles, energy, else what is decoded."""
    system, asked = study.system, results.first(study.states)["spec"]["targets"]
    angles = [target for target in asked if target.startswith(CYCLIC)]
    found = {}
    for target in angles[: MOST - 1]:
        value = zarrs.values(system, target.removeprefix(CYCLIC))
        found[target] = ((value + np.pi) % (2 * np.pi) - np.pi, "rad")
    if {"kinetic", "potential"} <= {*map(str, system.data_vars)}:
        kinetic, potential = (zarrs.values(system, name) for name in ("kinetic", "potential"))
        found["energy"] = (kinetic + potential, system["kinetic"].attrs.get("units", "1"))
    for target in asked:
        if len(found) < MOST and target in system and system[target].dims == ("clip", "time"):
            unit = system[target].attrs.get("units", "1")
            found[target] = (zarrs.values(system, target), unit)
    return found


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw a line for each encoder, a column for each state.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        ``encoder``, ``label``, ``state``, ``unit``, ``x``, ``y``, ``value``, ``share_x``,
        ``share_y``.
    """
    names, states = (list(dict.fromkeys(frame[key])) for key in ("encoder", "state"))
    grid = part.subplots(len(names), len(states), squeeze=False)
    for line, name in zip(grid, names, strict=True):
        for ax, state in zip(line, states, strict=True):
            own = frame[(frame["encoder"] == name) & (frame["state"] == state)]
            cyclic = state.startswith(CYCLIC)
            ends = (-np.pi, np.pi) if cyclic else _ends(frame.loc[frame["state"] == state, "value"])
            points = ax.scatter(
                own["x"], own["y"], c=own["value"], s=5, lw=0, vmin=ends[0], vmax=ends[1],
                cmap="twilight" if cyclic else "viridis",
            )  # fmt: skip
            ax.set_xticks([])
            ax.set_yticks([])
            first = own.iloc[0]
            ax.set_xlabel(f"{first.share_x:.0%} of the variance", fontsize=7)
            ax.set_ylabel(f"{first.share_y:.0%}", fontsize=7)
            if name == names[-1]:
                unit = "" if first.unit == "1" else f" [{first.unit}]"
                column = grid[:, states.index(state)]
                bar = part.colorbar(points, ax=column, location="bottom", fraction=0.04, pad=0.01)
                bar.set_label(state.removeprefix(CYCLIC).replace("_", " ") + unit, fontsize=8)
        line[0].set_title(
            frame.loc[frame["encoder"] == name, "label"].iloc[0], fontsize=9, loc="left"
        )
    canvas.title(part, TITLE)


def _ends(values: pd.Series) -> tuple[float, float]:
    """Ends of a colour scale: a few extreme values are no matter."""
    low, high = values.quantile([0.01, 0.99])
    return float(low), float(high if high > low else low + 1)


def figure(frame: pd.DataFrame) -> Figure:
    """Draw latents as a figure of their own."""
    lines, columns = frame["encoder"].nunique(), frame["state"].nunique()
    return canvas.alone(panel, frame, (1.0 + 2.6 * columns, 1.4 + 2.1 * lines))
