"""Either: what probes have in common whose targets are numbers or classes."""

from typing import Literal, Self

from pydantic import model_validator

from physprobe.fit.methods._protocol import Protocol


class Either(Protocol):
    """Fields of the spec of every probe that reads labels of either type."""

    readout: Literal["number", "class"] = "number"
    """What targets are: numbers, by squared error, or classes, by log loss."""
    by: str | None = None
    """Label whose values are scored apart as well, such as ``principle``; one fit serves all."""

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
    def label_type(self) -> type:
        """Numbers or classes, as ``readout`` says."""
        from physprobe.fit.methods._classes import Classes

        return Classes if self.of_classes else super().label_type
