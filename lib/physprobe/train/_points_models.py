"""Points models: what recipes are to training whose small networks see points of the plane."""

from typing import Any, ClassVar

from pydantic import Field

from physprobe.train._points_settings import Settings


class Points(Settings):
    """Recipes that learn from points of a mixture."""

    CARD: ClassVar = "points_card.md.j2"
    BETAS: ClassVar = (0.9, 0.999)

    @classmethod
    def family(cls) -> Any:
        """Points of a mixture, seen by a small network."""
        from physprobe.train import _points

        return _points

    @property
    def together(self) -> bool:
        """They are: layers are small."""
        return True

    @property
    def decays(self) -> bool:
        """Whether the learning rate falls."""
        return self.rate == "falls"


class Embeddings(Points):
    """Fields of the specs of recipes whose networks embed points."""

    embedding: int = Field(64, gt=0)
    """Features of the embedding."""

    @property
    def features(self) -> int:
        """Numbers that a network gives."""
        return self.embedding


class Followed(Embeddings):
    """Fields of those whose target is a moving average."""

    momentum: float = Field(0.99, ge=0, lt=1)
    """Of the target's moving average."""
