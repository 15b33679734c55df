"""Fields: what recipes are to training whose networks see windows of named fields.

Windows are those of clips that a system of the config has in its store: fluids are dear, and many
recipes share one store. All recipes see the same windows, of two groups of frames that are encoded
apart, so that an objective can be told from the network that it is pursued with.
"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np

from physprobe.config import kinds, problems
from physprobe.config.system import System
from physprobe.statistics import targets
from physprobe.train import _groups
from physprobe.train._stored_settings import GROUPS, Settings


class Fields(Settings):
    """Recipes that learn from the stored clips of one system."""

    CARD: ClassVar[str] = "fields_card.md.j2"

    @classmethod
    def family(cls) -> Any:
        """Windows of stored clips."""
        from physprobe.train import _stored

        return _stored

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
