"""Train's section of ``config.yaml``: recipes."""

from pydantic import Field

from physprobe.config.kinds import any_spec
from physprobe.config.spec import Spec
from physprobe.config.system import Name


class Entries(Spec):
    """What the config says to train."""

    recipes: dict[Name, any_spec("train")] = Field(default_factory=dict)
    """How encoders of our own are trained: results/encoders/{recipe}/, for ``model`` to name."""


def problems(config: Entries) -> tuple[str, ...]:
    """Nothing: a recipe names all that it needs within itself."""
    return ()
