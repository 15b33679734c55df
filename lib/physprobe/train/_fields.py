"""Fields: what the specs of recipes share whose networks see windows of named fields.

Windows are those of clips that a system of the config has in its store: fluids are dear, and many
recipes share one store. All recipes see the same windows, of two groups of frames that are encoded
apart, so that an objective can be told from the network that it is pursued with.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from pydantic import Field, PrivateAttr

from physprobe.config import kinds, problems
from physprobe.config.fields import FieldNetwork
from physprobe.config.system import Name, System
from physprobe.embed.networks.network import FIVE, Seeds
from physprobe.statistics import targets
from physprobe.store import zarrs
from physprobe.train import _groups
from physprobe.train._training import Schedule

GROUPS = 2
"""Groups of frames in a window."""


class Fields(FieldNetwork, Schedule):
    """Fields of the specs of recipes that learn from the stored clips of one system."""

    data: Name
    """System of this config whose clips are trained on, but for those whose ``split`` is test. No
    study should score an encoder on clips that it has seen: give it a system of its own, or one
    with a split."""
    validation: tuple[str, ...] = Field(min_length=1)
    """Labels to decode from groups of clips that are held out of the training: the checkpoint with
    the highest mean R2 is kept."""
    validation_part: float = Field(0.15, gt=0, lt=0.5)
    """Part of the groups that is held out so."""
    share: float = Field(1.0, gt=0, le=1)
    """Share of the other groups, such as trajectories, that is trained on; steps stay as many, and
    what is held out stays the same. Groups of a smaller share are among those of a larger one."""
    share_seed: int = Field(0, ge=0, lt=2**32)
    """Seed of the order in which groups come, the same for all members and recipes."""
    validation_clips: int = Field(200, ge=20)
    """Training clips at most that the probe is fitted to, and held-out clips at most."""
    noise: float = Field(0.0, ge=0)
    """Deviation of the normal noise that is added to training windows, over that of each field;
    where anything is judged there is none."""
    shifts: bool = False
    """Whether training windows are shifted along periodic axes, by as much as it happens."""
    published: dict[str, float] = Field(default_factory=dict)
    """Published values of columns of ``training.csv`` after the last step, for the card to set ours
    beside: reproduced are those within a twentieth."""
    seeds: Seeds = FIVE
    """Seeds of weights and batches: one network each, whose spread is part of every interval.
    Members of one seed begin with the same encoder in every recipe."""
    batch: int = Field(16, gt=0)
    """Windows per step; each clip gives one, at a time of its own, before any gives another."""
    steps: int = Field(400, gt=0)
    """Steps in all."""
    epochs: int = Field(4, gt=0)
    """Checkpoints, each judged on the held-out groups."""
    learning_rate: float = Field(1e-3, gt=0)
    """Highest learning rate of AdamW."""

    CARD: ClassVar[str] = "fields_card.md.j2"
    SIZES: ClassVar[type[FieldNetwork]] = FieldNetwork
    """Sizes that the folder keeps."""
    ROLE: ClassVar[str] = "self-supervised"
    """What the encoder is to those who read it; one that was told labels says so wherever it is
    shown."""

    _stores: tuple[Path, Path] | None = PrivateAttr(None)

    @classmethod
    def family(cls) -> Any:
        """Windows of stored clips."""
        from physprobe.train import _stored

        return _stored

    @property
    def members(self) -> dict[int, Self]:
        """Spec of each network, by its seed."""
        return {s: self.model_copy(update={"seeds": (s,), "seed": s}) for s in self.seeds}

    @property
    def worlds(self) -> tuple[System, ...]:
        """None of its own: its clips are there."""
        return ()

    @property
    def source(self) -> str:
        """System whose stores are read."""
        return self.data

    @property
    def seen_share(self) -> float:
        """Share of the groups that don't judge."""
        return self.share

    def misfits(self, system: System) -> Iterator[str]:
        """Clips that aren't fields, too short ones, labels and axes that there aren't."""
        simulate, kind = system.simulate, kinds.load("simulate", system.simulate.kind)
        if kinds.load("render", system.render.kind).SEEN != "channels":
            yield (
                f"data: {self.data} is rendered as {system.render.kind}; fields by name are needed."
                " Hint: render: {kind: channels}."
            )
            return
        if simulate.frames < self.window:
            yield (
                f"frames: clips of {self.data} have {simulate.frames} frames, too few for windows"
                f" of {GROUPS} groups of {self.frames}"
            )
        known = kind.label_units(simulate)
        for target in self.validation:
            if not targets.labels_of(target, known):
                near = problems.nearest(target, known)
                yield f"validation: {self.data} has no {target!r}; it has {', '.join(known)}.{near}"
        if self.shifts and not any(kind.periodic(simulate)):
            yield f"shifts: no axis of {self.data} is periodic"
        if "seed" in type(simulate).model_fields:  # others would have to read files
            grid = kind.coords(simulate)
            try:
                self.places(len(grid["y"]), len(grid["x"]))
            except ValueError as error:
                yield f"patch: {self.data}: {error}"
            if self.share < 1:
                yield from self._too_few(kind.draw(simulate))

    def _too_few(self, labels: Mapping[str, np.ndarray]) -> Iterator[str]:
        """A share of groups that leaves fewer than are needed."""
        groups = labels.get("group", np.arange(len(next(iter(labels.values())))))
        try:
            train, _ = _groups.parted(groups, labels.get("split"), self.validation_part)
            _groups.first(groups, train, self.share, self.share_seed)
        except ValueError as error:
            yield f"data: {self.data}: {error}"

    def unseen(self, system: System, name: str) -> Iterator[str]:
        """Clips that aren't whole groups of frames."""
        if system.simulate.frames % self.frames:
            yield (
                f"{name} has {system.simulate.frames} frames, which can't be cut into groups of"
                f" {self.frames}"
            )

    def reading(self, clips: Sequence[Path], simulation: Sequence[Path]) -> Self:
        """The same, with the stores that are read."""
        if len(clips) != 1 or len(simulation) != 1:
            raise ValueError(
                f"{self.kind}: needs the clips of {self.data} and their simulation. Hint: --clips"
                f" results/{self.data}/clips.zarr --simulation results/{self.data}/simulation.zarr"
            )
        found = self.model_copy()
        found._stores = (clips[0], simulation[0])
        return found

    @property
    def stores(self) -> tuple[Path, Path]:
        """Clips, and their simulation."""
        if self._stores is None:
            raise ValueError(f"{self.kind}: no stores are named. Hint: reading() names them.")
        return self._stores

    def content(self) -> str:
        """Digests of the stores, where they are named."""
        return " ".join(map(zarrs.digest, self._stores)) if self._stores else ""

    @property
    def window(self) -> int:
        """Frames of a training window."""
        return GROUPS * self.frames

    @property
    def shown(self) -> str:
        """What the training clips show."""
        return self.data.replace("_", " ")


class Told(Fields):
    """Fields of the specs of recipes whose encoders are told labels of the training clips."""

    ROLE: ClassVar[str] = "supervised"

    def unseen(self, system: System, name: str) -> Iterator[str]:
        """As of others, and clips whose labels it was told."""
        yield from super().unseen(system, name)
        drawn = "seed" in type(system.simulate).model_fields  # others would have to read files
        kind = kinds.load("simulate", system.simulate.kind)
        if name == self.data and drawn and "split" not in kind.draw(system.simulate):
            yield f"it was told the labels of the clips of {name}, which has no split"
