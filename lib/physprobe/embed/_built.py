"""Built: what the specs of networks share that a function of somebody else's builds."""

from typing import Literal, Self

from pydantic import JsonValue

from physprobe.embed.networks.network import Network, Seeds


class Built(Network):
    """A network that a function builds, with weights of its own or random ones in their place."""

    model: str
    """Name of the function, or of what it builds."""
    arguments: dict[str, JsonValue]
    """Its arguments."""
    init: Literal["fan_in", "fixed"] = "fan_in"
    """Of random weights: standard deviation 1 / sqrt(inputs), or 0.02."""
    seeds: Seeds | None = None
    """Seeds of random weights in the place of its own, one network each."""

    @property
    def members(self) -> dict[int, Self]:
        """Spec of each network, by its seed; of its own weights there is one."""
        if not self.seeds:
            return {0: self}
        return {seed: self.model_copy(update={"seeds": (seed,)}) for seed in self.seeds}

    @property
    def origins(self) -> set[tuple[str, str | None]]:
        """The name and the arguments give the architecture."""
        return {(self.model, repr(sorted(self.arguments.items())))}

    @property
    def twin(self) -> bool:
        """Random weights are the twin of its own."""
        return bool(self.seeds) or super().twin
