"""Stored settings: which windows of a system's stored clips networks of named fields see."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Self

from pydantic import Field, PrivateAttr

from physprobe.config.fields import FieldNetwork
from physprobe.config.system import Name
from physprobe.embed.networks.network import FIVE, Seeds
from physprobe.store import zarrs
from physprobe.train._training import Several

GROUPS = 2
"""Groups of frames in a window."""


class Settings(FieldNetwork, Several):
    """Fields of recipes that learn from the stored clips of one system."""

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

    SIZES: ClassVar[type[FieldNetwork]] = FieldNetwork
    """Sizes that the folder keeps."""
    ROLE: ClassVar[str] = "self-supervised"
    """What the encoder is to those who read it; one that was told labels says so wherever it is
    shown."""

    _stores: tuple[Path, Path] | None = PrivateAttr(None)

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
