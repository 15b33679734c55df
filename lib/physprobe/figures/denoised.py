"""Figure: images as they went in, what a decoder draws of their latents, and clean ones."""

from collections.abc import Iterator

import pandas as pd
from matplotlib.figure import Figure, FigureBase

from physprobe.drawing import canvas, palette, strips
from physprobe.figures import _film, _frames

NEEDS = ("decoder",)
CLEAN = True
TITLE = "Denoised images, drawn from latents"
CAPTION = (
    "The first held-out images, the same for all: as they went into the encoder, perturbed; what a"
    " decoder draws of each frozen latent, of one member where there are several; and the clean"
    " image, which it was trained to draw. What it returns is a denoised image and no"
    " reconstruction of what went in: noise, inversion and turns aren't given back, and where the"
    " latent doesn't tell a digit's own shape an average one is drawn. Beside each line peak"
    " signal-to-noise ratio and structural similarity against the clean image, means over all"
    " held-out images with 95 % intervals over images, and over members where there are several;"
    " those of the training images' mean image and of what went in need no latent."
)
ORDER = ("embedded", "mean_image", "reconstruction")
WORDS = {"embedded": "went in", "mean_image": "mean image", "truth": "clean"}


def frame(study: _frames.Evidence) -> pd.DataFrame:
    """Scores of every encoder and control, and the first images of each."""
    return _frames.table(_lines(study))


def _lines(study: _frames.Evidence) -> Iterator[dict]:
    besides = False
    for name in study.names:
        if name not in study.decoders:
            continue
        about = _frames.about(study, name)
        block = _film.first(study.decoders[name])
        parts = [part for rule, part in block["shown"].items() if rule.startswith("first")]
        shown = ("reconstruction",) if besides else ("embedded", "truth", "reconstruction")
        for model in shown:
            for place, part in enumerate(parts if part_of(parts, model) else ()):
                yield {
                    **about, "item": "image", "model": model, "place": place,
                    "clip": part["clip"], "image": strips.unpacked(part[model])[0],
                }  # fmt: skip
        for row in study.decoders.rows(name, horizon=None):
            told = row["metric"] in ("psnr", "ssim") and row["value"] is not None
            if told and (row["model"] == "reconstruction" or not besides):
                keys = ("model", "metric", *_frames.SCORE)
                yield {**about, "item": "score", **{key: row.get(key) for key in keys}}
        besides = True


def part_of(parts: list[dict], model: str) -> bool:
    """Whether images of a sort are there."""
    return all(part[model] is not None for part in parts)


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw a line of images of each sort.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        ``encoder``, ``label``, ``item`` (``image`` or ``score``), ``model``; of images ``place``,
        ``image`` (y, x) uint8, of scores ``metric``, ``value``, ``ci_low``, ``ci_high``.
    """
    images, scores = (frame[frame["item"] == item] for item in ("image", "score"))
    lines = _sorts(images)
    count = int(images["place"].max()) + 1
    axes = part.subplots(len(lines), count, squeeze=False)
    for row, (name, model) in zip(axes, lines, strict=True):
        own = images[(images["encoder"] == name) & (images["model"] == model)]
        for ax in row:
            ax.set_xticks([])
            ax.set_yticks([])
        for shot in own.itertuples():
            row[int(shot.place)].imshow(
                shot.image, cmap="gray", vmin=0, vmax=255, interpolation="nearest"
            )
        label = WORDS.get(model) or palette.shown(name, None)
        row[0].set_ylabel(label, fontsize=8, rotation=0, ha="right", va="center")
        told = [_told(scores, name, each) for each in ([model] if model != "truth" else [])]
        if model == "truth":
            told = [f"mean image: {_told(scores, name, 'mean_image')}"]
        row[-1].text(
            1.1, 0.5, "\n".join(told), fontsize=7.5, va="center", transform=row[-1].transAxes
        )
    canvas.title(part, TITLE)
    canvas.note(part, "Brackets: 95 % intervals over held-out images, and members.")


def _sorts(images: pd.DataFrame) -> list[tuple[str, str]]:
    """Encoder and sort of each line: what went in first, the clean image last."""
    found = list(dict.fromkeys(zip(images["encoder"], images["model"], strict=True)))
    place = {"embedded": 0, "reconstruction": 1, "truth": 2}
    return sorted(found, key=lambda each: place[each[1]])


def _told(scores: pd.DataFrame, name: str, model: str) -> str:
    """``PSNR 14.1 [14.0, 14.2] dB``, and SSIM."""
    told = []
    for metric, word, digits, unit in (("psnr", "PSNR", 1, " dB"), ("ssim", "SSIM", 2, "")):
        own = scores[
            (scores["encoder"] == name) & (scores["model"] == model) & (scores["metric"] == metric)
        ]
        for row in own.itertuples():
            span = canvas.interval(row.value, row.ci_low, row.ci_high, digits)
            told.append(f"{word} {span}{unit}")
    return "\n".join(told)


def figure(frame: pd.DataFrame) -> Figure:
    """Draw the images as a figure of their own."""
    images = frame[frame["item"] == "image"]
    return canvas.alone(panel, frame, (10.5, 1.2 + 0.85 * len(_sorts(images))))
