"""Figure: how much of each part of a linear world is read off a latent, condition by condition."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase

from physprobe.drawing import canvas
from physprobe.figures import _frames

NEEDS = ("recovery",)
TITLE = "What a narrow latent keeps of signal and distractor"
CAPTION = (
    "R\N{SUPERSCRIPT TWO} of signal and distractor one step later, read by least squares off each"
    " encoder's latent, condition by condition; mean over draws of the world, each with a network"
    " of its own. Bands are 95 % intervals over draws. Encoders in colour, controls in grey: the"
    " sensors themselves, closed-form projections, the Kalman filter that knows the equation. Rings"
    " are published values, of one draw: filled where one of ours lies as far out, empty where none"
    " does. Where there is one condition alone, latents of one kind are a curve by their width."
    " Right: the share of networks whose latent has collapsed."
)
FLOOR = -0.15
WORDS = {"sigma": "loudness of the distractor, sigma"}

PUBLISHED = {
    "linear_vae": (0.920, 0.568, 0.179, 0.051, 0.000, 0.001, 0.017, 0.018, 0.012, 0.010, 0.007),
    "linear_autoregression": (
        0.988, 0.757, 0.323, 0.146, 0.079, 0.050, 0.034, 0.023, 0.017, 0.013, 0.010,
    ),
    "linear_jepa": (0.819, 0.974, 0.960, 0.946, 0.799, 0.667, 0.987, 0.834, 0.725, 0.745, 0.804),
    "linear_vjepa": (0.853, 0.957, 0.885, 0.876, 0.985, 0.986, 0.979, 0.842, 0.645, 0.718, 0.662),
    "linear_bjepa": (0.750, 0.769, 0.755, 0.632, 0.710, 0.699, 0.707, 0.704, 0.692, 0.687, 0.673),
}  # fmt: skip
"""R2 at sigma 0 to 10 of JointEmbeddingArchitecturesTutorial, read off its figure to 0.003; seed
111. That of the VAE is of s[t], the others' of s[t+1]."""
WITHIN = 0.01
"""What reading off the figure, and one held-out block, leave open."""


def frame(study: _frames.Evidence) -> pd.DataFrame:
    """R2 of every part and condition, and shares of collapsed networks, with published values."""
    return _frames.table(
        row for name in study.names if name in study.recoveries for row in _of_one(study, name)
    )


def _of_one(study: _frames.Evidence, name: str) -> Iterator[dict]:
    result = study.recoveries[name]
    block = result.get("members", (result,))[0]["recovery"]
    first = block["scores"][0]["layer"]
    known = _published(study, name, block["by"])
    for row in study.recoveries.rows(name, member=None, layer=first):
        if row["value"] is None:
            continue
        if row["metric"] == "r2" and row["lead"] == 1:
            own = _draws(block, row)
            more: dict = {"deviation": float(np.std(own, ddof=1)) if len(own) > 1 else None}
            if row["target"] == "signal" and row["part"] in known:
                value = known[row["part"]]
                own = _draws(block, {**row, "lead": _lead(study, name)})
                inside = own.min() - WITHIN <= value <= own.max() + WITHIN
                more |= {
                    "published": value,
                    "verdict": "reproduced" if inside else "not reproduced",
                }
        elif row["metric"] == "collapsed":
            more = {}
        else:
            continue
        yield {
            **_frames.about(study, name), **_kind(study, name), "by": block["by"],
            **{key: row[key] for key in ("target", "part", *_frames.SCORE)},
            "metric": row["metric"], **more,
        }  # fmt: skip


def _draws(block: dict, row: dict) -> np.ndarray:
    """R2 (draw,) of each draw."""
    where = ("target", "layer", "lead", "metric")
    found = next(b for b in block["scores"] if all(b[key] == row[key] for key in where))
    return np.asarray(found["value"], float)[list(block["part"]).index(row["part"])]


def _recipe(study: _frames.Evidence, name: str) -> str:
    about = study.embeddings[study.place, name].attrs.get("architecture") or {}
    return about.get("recipe") or ""


def _kind(study: _frames.Evidence, name: str) -> dict:
    """How many numbers a latent has, and what it is but for that."""
    store = study.embeddings[study.place, name]
    spec = store.attrs.get("spec", {})
    kind = _recipe(study, name) or spec.get("how") or name
    return {"width": store.sizes.get("feature"), "latent": kind.replace("_", " ")}


def _lead(study: _frames.Evidence, name: str) -> int:
    """Steps from the latent to what was published: of the VAE none."""
    return 0 if _recipe(study, name) == "linear_vae" else 1


def _published(study: _frames.Evidence, name: str, by: str) -> dict[float, float]:
    """Published values by condition, if the system and the recipe are those."""
    system = study.system.attrs["spec"]
    alike = system.get("paths") == "contiguous" and system.get("dynamics") == "contraction"
    values = PUBLISHED.get(_recipe(study, name), ())
    return dict(enumerate(values)) if alike and by == "sigma" else {}


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw signal, distractor and shares of collapsed networks beside each other.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        ``encoder``, ``role``, ``label``, ``by``, ``metric``, ``target``, ``part``, ``value``,
        ``ci_low``, ``ci_high``, and where there are any ``published``, ``verdict``.
    """
    by = WORDS.get(frame["by"].iloc[0], frame["by"].iloc[0].replace("_", " "))
    if frame["part"].nunique() == 1 and frame["width"].nunique() > 1:
        by = f"numbers in the latent ({by}: {frame['part'].iloc[0]:g})"
        frame = _by_width(frame)
    looks = canvas.looks(frame)
    targets = list(frame["target"].dropna().unique())
    axes = part.subplots(1, len(targets) + 1)
    parts = sorted(frame["part"].unique())
    places = {value: place for place, value in enumerate(parts)}
    for ax, target in zip(axes, targets, strict=False):
        _curves(ax, frame[(frame["metric"] == "r2") & (frame["target"] == target)], looks, places)
        ax.set_title(target, loc="left", fontsize=10)
        ax.set_ylim(FLOOR - 0.02, 1.03)
        ax.set_ylabel("R\N{SUPERSCRIPT TWO}, one step later")
    last = frame[frame["metric"] == "collapsed"]
    for name, rows in last.groupby("encoder", sort=False):
        where = [places[value] for value in rows["part"]]
        look = looks[name]
        axes[-1].plot(
            where, rows["value"], color=look.colour, ls=look.line, marker=look.marker, ms=4
        )
    axes[-1].set_title("collapsed", loc="left", fontsize=10)
    axes[-1].set_ylabel("share of networks")
    axes[-1].set_ylim(-0.03, 1.03)
    for ax in axes:
        ax.set_xticks(range(len(parts)), [f"{value:g}" for value in parts])
        ax.set_xlabel(by)
        ax.grid(color="0.94")
    handles, names = axes[0].get_legend_handles_labels()
    part.legend(handles, names, loc="outside right center", fontsize=8)
    canvas.title(part, TITLE)
    rings = " Rings: published, filled where ours reach as far out." if "published" in frame else ""
    told = f"Bands: 95 % intervals over draws.{rings} What is lower than is drawn lies on the edge."
    canvas.note(part, told)


def _by_width(frame: pd.DataFrame) -> pd.DataFrame:
    """The same with widths in the place of conditions: latents of one kind as one encoder."""
    first = frame.groupby("latent", sort=False)["encoder"].transform("first")
    found = frame.assign(encoder=first, label=frame["latent"], part=frame["width"])
    return found.sort_values(
        ["role", "encoder", "part"], ascending=[False, True, True], kind="stable"
    )


def _curves(ax: Axes, frame: pd.DataFrame, looks: dict, places: dict[float, int]) -> None:
    for name, rows in frame.groupby("encoder", sort=False):
        look, where = looks[name], np.array([places[value] for value in rows["part"]])
        low, high, value = (
            np.maximum(rows[column].to_numpy(float), FLOOR)
            for column in ("ci_low", "ci_high", "value")
        )
        ax.fill_between(where, low, high, color=look.colour, alpha=0.13, lw=0)
        ax.plot(
            where, value, color=look.colour, ls=look.line, marker=look.marker, ms=4, lw=look.width,
            label=rows["label"].iloc[0],
        )  # fmt: skip
        if "published" in rows:
            known = rows["published"].notna().to_numpy()
            fill = np.where(rows["verdict"] == "reproduced", look.colour, "none")[known]
            ax.scatter(
                where[known] + 0.18, rows["published"][known], s=26, facecolors=list(fill),
                edgecolors=look.colour, lw=1, zorder=3,
            )  # fmt: skip


def figure(frame: pd.DataFrame) -> Figure:
    """Draw what is recovered as a figure of its own."""
    return canvas.alone(panel, frame, (15.0, 4.6))
