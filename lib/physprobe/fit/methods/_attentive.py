"""Attentive: what the probes that attend to a clip's tokens have in common."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import Field, field_validator, model_validator

from physprobe.fit.methods._protocol import Protocol
from physprobe.statistics.splits import Fold

SPATIAL = ("space_time", "space_last")


class Attentive(Protocol):
    """Fields of the spec of every probe that attends to tokens."""

    TRAINED: ClassVar[bool] = True
    readout: Literal["number", "class"] = "number"
    """What targets are: numbers, by squared error, or classes, by log loss."""
    samples: tuple[Literal["time", *SPATIAL], ...] = Field(("time",), min_length=1)
    """What is attended to. ``time``: a clip's token times, averaged over space, of every layer.
    Of layers that keep their spatial tokens (``tokens`` of the encoder), and of these alone,
    ``space_time``: all of them; ``space_last``: those of the last token time, as published."""
    cells: int | None = Field(None, ge=1)
    """Means over so many by so many cells of the image stand for spatial tokens; None: no means."""
    by: str | None = None
    """Label whose values are scored apart as well, such as ``principle``; one fit serves all."""
    rates: tuple[float, ...] = Field(min_length=1)
    """Learning rates to choose from."""
    decays: tuple[float, ...] = Field(min_length=1)
    """Weight decays to choose from: each step takes rate x decay of the weights away."""
    epochs: tuple[int, ...] = Field(min_length=1)
    """Numbers of epochs to choose from, ascending; 0 predicts the training clips' mean."""
    permutations: int = Field(ge=0)
    """Permutations of labels for the null, each as dear as the labels themselves."""

    @field_validator("epochs")
    @classmethod
    def _ascending(cls, epochs: tuple[int, ...]) -> tuple[int, ...]:
        if list(epochs) != sorted(set(epochs)) or epochs[0] < 0 or epochs[-1] < 1:
            raise ValueError("epochs must ascend from 0 or more to at least 1")
        return epochs

    @model_validator(mode="after")
    def _scored_apart(self) -> Self:
        if self.by and not self.of_classes:
            raise ValueError("by: only classes are scored apart; set readout: class")
        return self

    @property
    def of_classes(self) -> bool:
        """Whether targets are classes, not numbers."""
        return self.readout == "class"

    @property
    def scored_apart(self) -> str | None:
        """Label whose values are scored apart as well, if any."""
        return self.by

    @property
    def spatial(self) -> bool:
        """Whether spatial tokens are read."""
        return any(sample in SPATIAL for sample in self.samples)

    @property
    def settings(self) -> list[tuple[float, float]]:
        """Learning rates and weight decays, each with each, the strongest regularised first."""
        return list(product(sorted(self.rates), sorted(self.decays, reverse=True)))


def scored(
    spec: Attentive,
    model: object,
    batch: int | None,
    features: Sequence[np.ndarray],
    layers: Sequence[str],
    targets: Mapping[str, np.ndarray],
    folds: Sequence[Fold],
    *,
    times: Sequence[float] | None = None,
    groups: Sequence | np.ndarray | None = None,
    components: int | None = None,
    parts: Sequence | np.ndarray | None = None,
    tokens: Mapping[str, np.ndarray] | None = None,
) -> tuple[list[dict], dict]:
    """Decode every target from every layer's tokens.

    Parameters
    ----------
    spec : Attentive
    model : _trained.Model
    batch : int or None
        Most clips of a step; None: all training clips.
    features : sequence over layers of (clip, time, feature)
        Read one at a time.
    layers : (layer,) of str
    targets : mapping of str to (clip,) or (clip, column)
        Numbers, or classes by any name.
    folds : sequence of Fold
    times : (time,), optional
        Not used: a clip has one prediction.
    groups : (clip,), optional
        Clips that are bootstrapped and permuted together (of classes: among each other); each on
        its own if not given.
    components : int, optional
        Not supported.
    parts : (clip,), optional
        Label whose values are scored apart as well, of classes.
    tokens : mapping of str to (clip, time, y, x, feature), optional
        Spatial tokens of the layers that keep them, each read when asked for.

    Returns
    -------
    rows : list of dict
        As of ``ridge``, or of ``logistic`` for classes; without permutations there is no null.
    predictions : dict
        As of these; ``choices``: learning rate, weight decay and number of epochs.

    Raises
    ------
    ValueError
        If labels, features and folds disagree in size, folds leak, or components are asked for.
    """
    from physprobe.fit.methods import _classes, _numbers, _readout, _trained

    if components:
        raise ValueError(
            f"{spec.kind} takes features as they are. Hint: probe components by ridge or logistic."
        )
    sources = [_source(spec, sample, features, layers, tokens or {}) for sample in spec.samples]
    plan = _trained.Plan(model, spec.settings, spec.epochs, batch, spec.seed)

    def chosen(spec: Attentive, fit: object, column: int) -> dict:
        rate, decay = spec.settings[fit.setting[column]]
        epochs, error = spec.epochs[fit.epoch[column]], fit.inner[column]
        grids = (rate, spec.rates), (decay, spec.decays)
        return {
            "scaling": "feature",
            "learning_rate": rate,
            "weight_decay": decay,
            "epochs": epochs,
            **({"inner_log_loss": error} if spec.of_classes else {"inner_r2": 1.0 - error}),
            "edge_hit": epochs == spec.epochs[-1]
            or any(len(grid) > 1 and value in (min(grid), max(grid)) for value, grid in grids),
        }

    if spec.of_classes:

        def tell(labels: np.ndarray, classes: int, groups: np.ndarray, parts: np.ndarray) -> list:
            asked = _readout.Classes(labels, classes, groups, parts)
            return _trained.decode(sources, asked, folds, plan)

        return _classes.scored(spec, tell, layers, targets, folds, times, groups, parts, chosen)

    def decode(labels: np.ndarray, widths: Sequence[int]) -> list:
        return _trained.decode(sources, _readout.Numbers(labels, widths), folds, plan)

    return _numbers.scored(spec, decode, layers, targets, folds, times, groups, chosen)


def _source(
    spec: Attentive,
    sample: str,
    features: Sequence[np.ndarray],
    layers: Sequence[str],
    tokens: Mapping[str, np.ndarray],
) -> object:
    """What a sample attends to, layer by layer."""
    from physprobe.fit.methods._trained import Source

    if sample == "time":
        return Source(sample, list(layers), lambda layer: features[layer])
    names = list(tokens)

    def read(layer: int) -> np.ndarray:
        found = np.asarray(tokens[names[layer]], np.float32)
        return gathered(found[:, -1:] if sample == "space_last" else found, spec.cells)

    return Source(sample, names, read)


def gathered(tokens: np.ndarray, cells: int | None) -> np.ndarray:
    """Tokens (clip, token, feature) of all times and places.

    Parameters
    ----------
    tokens : (clip, time, y, x, feature)
    cells : int or None
        Cells along each side of the image whose means are taken.

    Raises
    ------
    ValueError
        If the grid can't be cut into so many cells.
    """
    clips, times, height, width, features = tokens.shape
    if cells:
        if height % cells or width % cells:
            raise ValueError(
                f"cells: a grid of {height} x {width} tokens can't be cut into {cells} x {cells}."
            )
        shape = (clips, times, cells, height // cells, cells, width // cells, features)
        tokens = tokens.reshape(shape).mean((3, 5))
    return tokens.reshape(clips, -1, features)
