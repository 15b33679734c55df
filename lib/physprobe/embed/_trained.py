"""Trained: what the specs of networks share that a recipe of this package has written."""

from typing import Literal, Self

from physprobe.embed.networks.network import FIVE, Network, Seeds


class Trained(Network):
    """A folder of networks, its trained members or others with random weights."""

    model: str
    """Folder that a recipe has written: results/encoders/{recipe}."""
    weights: Literal["trained", "random"] = "trained"
    """Those of the folder, or random ones in its architecture."""
    seeds: Seeds = FIVE
    """Members: seeds that the recipe was trained with, or those of random weights."""

    @property
    def checkpoints(self) -> dict[str, bool]:
        """The folder, whose weights are read even for their shapes."""
        return {self.model: True}

    @property
    def twin(self) -> bool:
        """Random weights are the twin of trained ones; another recipe's network is a rival."""
        return self.weights == "random" or super().twin

    @property
    def origins(self) -> set[tuple[str, str | None]]:
        """The folder gives the architecture."""
        return {(self.model, None)}

    def random(self, seeds: Seeds) -> Self:
        """The same with random weights."""
        return self.model_copy(update={"weights": "random", "seeds": seeds})

    @property
    def members(self) -> dict[int, Self]:
        """Spec of each network, by its seed."""
        return {seed: self.model_copy(update={"seeds": (seed,)}) for seed in self.seeds}
