"""Linear models: what recipes are to training that train one linear network per condition."""

from typing import Any, ClassVar, Literal

from physprobe.train._sensors_settings import Settings

Variances = Literal["published", "learned"]


class LinearModels(Settings):
    """Recipes that learn from the sensors of a system of conditions."""

    CARD: ClassVar = "linear_card.md.j2"
    BETAS: ClassVar = (0.9, 0.999)

    @classmethod
    def family(cls) -> Any:
        """Moments of sensors, seen by linear maps."""
        from physprobe.train import _sensors

        return _sensors

    @property
    def together(self) -> bool:
        """They are: all that a step costs is calls."""
        return True

    @property
    def decays(self) -> bool:
        """It doesn't."""
        return False
