"""What every figure has to be: nothing empty, crushed, cut off or too small, no words on others."""

import warnings
from itertools import combinations
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.text import Text


def beside(picture: Path) -> dict[str, Path]:
    """Where the stage is to write a figure: picture, drawing and table beside each other."""
    forms = {"out": ".png", "vector": ".svg", "table": ".csv"}
    return {name: picture.with_suffix(form) for name, form in forms.items()}


def sound(figure: Figure) -> None:
    """Draw without a warning; no axes is empty, nothing is cut off, no title is on another."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.draw_without_rendering()
    for ax in figure.axes:
        name = ax.get_title(loc="left")
        assert [*ax.lines, *ax.collections, *ax.images, *ax.patches], f"{name!r} is empty"
        if ax.get_label() != "<colorbar>":
            assert min(ax.get_position().size) > 0.03, f"{name!r} is crushed"
    renderer = figure.canvas.get_renderer()
    used = figure.get_tightbbox(renderer)
    assert used.x0 > -0.02 and used.x1 < figure.get_figwidth() + 0.02
    assert used.y0 > -0.02 and used.y1 < figure.get_figheight() + 0.02
    for text in figure.findobj(Text):
        assert text.get_fontsize() >= 6, text.get_text()
    for part in parts(figure):
        edges = [t for t in (part._suptitle, part._supxlabel) if t is not None]
        inner = [t for ax in part.axes for t in (ax._left_title, ax.title, ax.xaxis.label)]
        ticks = [t for ax in part.axes for t in shown(ax.get_xticklabels(), ax.get_xlim())]
        written = [text for text in (*edges, *inner, *ticks) if text.get_text()]
        for one, other in combinations(written, 2):
            if one.get_rotation() == other.get_rotation() == 0:
                apart = not one.get_window_extent().overlaps(other.get_window_extent())
                assert apart, f"{one.get_text()!r} on {other.get_text()!r}"


def shown(labels: list, limits: tuple[float, float]) -> list:
    """Tick labels of an x axis that are drawn."""
    low, high = sorted(limits)
    inside = [low <= label.get_position()[0] <= high for label in labels]
    return [label for label, drawn in zip(labels, inside, strict=True) if drawn]


def parts(figure: Figure) -> list:
    """Leaves of a figure's tree of subfigures."""
    if not figure.subfigs:
        return [figure]
    return [leaf for part in figure.subfigs for leaf in parts(part)]
