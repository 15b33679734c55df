"""Figure: published errors of parameters of fluids beside ours, cell by cell, with a verdict."""

from collections.abc import Iterator, Mapping
from string import ascii_lowercase

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.lines import Line2D

from physprobe.drawing import canvas, palette
from physprobe.figures import _bars, _frames

NEEDS = ("probe",)
DESIGNS = ("plain", "counts")
FIELD = "fluid"
BESIDE = ("published_tables.yaml",)
TITLE = "Published errors beside ours"
CAPTION = (
    "Mean squared error of labels that are standardised (z-MSE), of one parameter or the mean of"
    " all: stars are published, circles are what a probe reads off our encoder that was trained"
    " for the same objective, with 95 % intervals by bootstrap over groups of held-out clips, and"
    " members. On the right the verdict on each pair: a published value is within our interval or"
    " outside of it, but where data, size, labels, network or probe differ it is not comparable,"
    " for the reasons named below, and it is said alone on which side it lies. What has no circle"
    " has no counterpart in this study. Published are single networks without intervals."
)
WITHIN, OUTSIDE, NOT = "within our interval", "outside our interval", "not comparable"
COLOURS = {WITHIN: "#009E73", OUTSIDE: "#D55E00", NOT: "0.45"}
ABSENT = "none of ours was scored here"
UNSAID = "no value by parameter was published"
LEAST = 1e-3  # nothing is drawn below, as a logarithm has no zero


def frame(study: _frames.Evidence, published: Mapping) -> pd.DataFrame:
    """Every published cell beside each of ours that is its counterpart, or beside none.

    Parameters
    ----------
    study : Evidence
    published : mapping
        Content of ``published_tables.yaml``.
    """
    found = pd.DataFrame(_lines(study, published))
    numbers = ("share", "published", "value", "ci_low", "ci_high", "n_clips")
    return found.astype(dict.fromkeys(numbers, float)) if len(found) else found


def _lines(study: _frames.Evidence, published: Mapping) -> Iterator[dict]:
    shares = bool(study.counts)
    for table in published["tables"]:
        for cell in _cells(table):
            if ("share" in cell) != shares:
                continue
            own = {
                "table": table["name"], "about": table["about"], "fluid": cell["fluid"],
                "model": cell["model"], "target": cell["target"], "share": cell.get("share"),
                "read_by": _read_by(table, cell), "published": cell["value"],
            }  # fmt: skip
            there = list(_counterparts(study, table, cell))
            if not there and cell["value"] is not None:
                yield {
                    **own, "role": "none", "encoder": "", "label": "", "method": "", "ours": "",
                    **dict.fromkeys(("value", "ci_low", "ci_high", "n_clips")), "place": "",
                    "verdict": NOT, "why": ABSENT,
                }  # fmt: skip
            yield from ({**own, **line} for line in there)


def _cells(table: Mapping) -> Iterator[dict]:
    """Cells of a table, and beside those of a mean each parameter that has no value of its own."""
    known = {_named(table, cell) for cell in table["cells"]}
    for cell in table["cells"]:
        yield cell
        if cell["target"] == "mean":
            alone = [{**cell, "target": t, "value": None} for t in table["labels"][cell["fluid"]]]
            yield from (each for each in alone if _named(table, each) not in known)


def _named(table: Mapping, cell: Mapping) -> tuple:
    """What sets a cell apart."""
    keys = ("fluid", "model", "target", "share")
    return (*(cell.get(key) for key in keys), _read_by(table, cell))


def _read_by(table: Mapping, cell: Mapping) -> str:
    """How a published score was read off its network."""
    return cell.get("method", table["models"][cell["model"]]["method"])


def _counterparts(study: _frames.Evidence, table: Mapping, cell: Mapping) -> Iterator[dict]:
    """Ours of the same fluid and objective, probe by probe, each judged."""
    if cell["fluid"] not in _fluids(study):
        return
    model = table["models"][cell["model"]]
    for name in study.names:
        about = study.learnt(name)
        if about.get("recipe") != model["recipe"]:
            continue
        for method, fits in _probes(study).items():
            if name not in fits:
                continue
            spec = fits[name]["spec"]
            target = _ours(table["labels"][cell["fluid"]], cell["target"], spec["targets"])
            where = {"target": target, "layer": "selected", "metric": "z_mse", "time": None}
            more = {"part": None, "sample": spec["samples"][0]}
            if "share" in cell:
                more = {"share": cell["share"], "sample": spec["samples"][0]}
            row = fits.row(name, **where, **more) if target else None
            if row is None or row["value"] is None:
                continue
            why = [
                *([] if cell["value"] is not None else [UNSAID]),
                *_other_clips(study, table, cell),
                *_other_labels(table["labels"][cell["fluid"]], cell["target"], spec["targets"]),
                *_other_network(about, model, cell["model"]),
                *_other_probe(spec["kind"], _read_by(table, cell)),
            ]
            place = _place(cell["value"], row)
            verdict = WITHIN if place == "within" else OUTSIDE
            yield {
                **_frames.about(study, name), "method": method, "ours": target,
                **{key: row[key] for key in ("value", "ci_low", "ci_high", "n_clips")},
                "place": place, "verdict": NOT if why or not place else verdict,
                "why": "; ".join(why) or ("" if place else "ours has no interval"),
            }  # fmt: skip


def _fluids(study: _frames.Evidence) -> tuple[str, ...]:
    """Fluids that the clips show: of files what these say."""
    system = study.system
    return tuple(system.attrs.get("dataset", ())) or (system.attrs["spec"]["kind"],)


def _probes(study: _frames.Evidence) -> Mapping:
    """Probes by method."""
    return study.each("shares") if study.counts else study.each("probe")


def _ours(labels: Mapping, target: str, known: list[str]) -> str | None:
    """The target of ours that is a published one, or near it; of several their mean."""
    if target == "mean":
        whole = [_ours(labels, each, known) for each in labels]
        return "mean" if None not in whole and len(whole) == len(known) else None
    near = [*labels[target]["same"], *labels[target]["near"]]
    return next((each for each in near if each in known), None)


def _place(published: float | None, row: Mapping) -> str:
    """Where a published value lies from our interval, if there are both."""
    if None in (published, row["ci_low"], row["ci_high"]):
        return ""
    if published < row["ci_low"]:
        return "below"
    return "above" if published > row["ci_high"] else "within"


def _other_clips(study: _frames.Evidence, table: Mapping, cell: Mapping) -> Iterator[str]:
    """Other data than published, of another size."""
    system = study.system
    spec = system.attrs["spec"]
    if any(spec.get(key) != value for key, value in table["system"].items()):
        ours = "files otherwise read" if spec["kind"] == "the_well" else "resolved flows of our own"
        yield f"other data: published {table['unlike']}, here {ours}"
    if "size" in table:
        told = [(*table["size"], table["frames"])]
        told.append(tuple(system.sizes[dim] for dim in ("y", "x", "time")))
        if told[0] != told[1]:
            both = ["{} x {} cells and {} frames".format(*each) for each in told]
            yield f"other size: published {both[0]}, here {both[1]}"
    if "share" in cell:
        yield "other shares: published of windows, here of trajectories"


def _other_labels(labels: Mapping, target: str, known: list[str]) -> Iterator[str]:
    asked = [*labels] if target == "mean" else [target]
    ours = {each: _ours(labels, each, known) for each in asked}
    other = [
        f"{name} for {each}" for each, name in ours.items() if name not in labels[each]["same"]
    ]
    if other:
        yield f"other labels: here {' and '.join(other)}".replace("_", " ")


def _other_network(about: Mapping, model: Mapping, name: str) -> Iterator[str]:
    if (about.get("network"), about.get("preset")) != (model["network"], model["preset"]):
        ours = f"{about.get('preset')} {about.get('network')}"
        yield f"other network: published {name} {model['is']}, here {ours}"


def _other_probe(ours: str, published: str) -> Iterator[str]:
    if ours != published:
        yield f"other probe: published {published}, here {ours}".replace("_", " ")


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw each table by itself, a line for each pair.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        Of :func:`frame`.
    """
    ours = frame[frame["role"] != "none"]
    looks = canvas.looks(ours)
    tables = list(dict.fromkeys(frame["table"]))
    letters = _letters(ours["why"])
    heights = [(frame["table"] == name).sum() + 1 for name in tables]
    axes = part.subplots(
        len(tables), 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": heights}
    )[:, 0]
    for ax, name in zip(axes, tables, strict=True):
        _table(ax, frame[frame["table"] == name], looks, letters)
        ax.set_title(name, loc="left", fontsize=10)
    axes[-1].set_xlabel("z-MSE on held-out clips (published: on the split that it reports)")
    labels = dict(zip(ours["encoder"], ours["label"], strict=True))
    handles = [Line2D([], [], marker="*", ls="", ms=9, mfc="none", color="black")]
    handles += [Line2D([], [], marker="o", ls="", color=look.colour) for look in looks.values()]
    told = ["published", *(labels[name] for name in looks)]
    part.legend(handles, told, loc="outside upper right", ncols=min(3, len(told)), fontsize=8)
    canvas.title(part, TITLE)
    said = "; ".join(f"{letter}: {reason}" for reason, letter in letters.items())
    about = ". ".join(f"{n}: {a}" for n, a in zip(frame["table"], frame["about"], strict=True))
    about = ". ".join(dict.fromkeys(about.split(". ")))
    canvas.note(
        part,
        "Bars: 95 % intervals over groups of held-out clips, and members."
        + (f" Not comparable because of {said}." if said else "")
        + f" {about}.",
    )


def _letters(reasons: pd.Series) -> dict[str, str]:
    """A letter for each reason, in the order in which they come."""
    each = [reason for told in reasons for reason in told.split("; ") if reason]
    return dict(zip(dict.fromkeys(each), ascii_lowercase, strict=False))


def _table(
    ax: Axes, frame: pd.DataFrame, looks: Mapping[str, palette.Look], letters: Mapping[str, str]
) -> None:
    """Lines of one table."""
    several = frame.groupby("method")["method"].count().drop("", errors="ignore")
    names = []
    for y, row in enumerate(frame.itertuples()):
        if pd.notna(row.published):
            ax.plot(max(row.published, LEAST), y, "*", ms=9, mfc="none", mec="black", zorder=4)
        if row.role != "none":
            low, value, high = np.maximum([row.ci_low, row.value, row.ci_high], LEAST)
            drawn = pd.Series({"value": value, "ci_low": low, "ci_high": high})
            _bars.bar(ax, drawn, y, looks[row.encoder].colour, 5)
        marks = " ".join(letters[each] for each in row.why.split("; ") if each in letters)
        told = row.verdict + (f" ({marks})" if marks else "")
        if row.verdict == NOT and row.place:
            told += f"; published is {row.place}"
        told = row.why if row.role == "none" else told
        ax.text(
            1.02, y, told, transform=ax.get_yaxis_transform(), va="center", fontsize=7.5,
            color=COLOURS[row.verdict],
        )  # fmt: skip
        share = "" if pd.isna(row.share) else f", {row.share:.0%}"
        own = f" | {row.label}" if row.label else ""
        own += f", {row.method}" if own and len(several) > 1 else ""
        cell = f"{row.fluid}, {row.model}, {row.target} ({row.read_by}){share}"
        names.append(f"{cell}{own}".replace("_", " "))
    ax.set_yticks(range(len(names)), names, fontsize=7.5)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    ax.set_xscale("log")
    ax.grid(axis="x", color="0.93")


def figure(frame: pd.DataFrame) -> Figure:
    """Draw the tables as a figure of their own."""
    return canvas.alone(panel, frame, (12.0, 3.0 + 0.24 * len(frame)))
