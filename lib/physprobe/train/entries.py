"""Train's section of ``config.yaml``: recipes."""

from typing import TYPE_CHECKING

from pydantic import Field

from physprobe.config.kinds import any_spec
from physprobe.config.spec import Spec
from physprobe.config.system import Name

if TYPE_CHECKING:
    from physprobe.train._training import Training

    AnyRecipe = Training
else:
    AnyRecipe = any_spec("train")


class Entries(Spec):
    """What the config says to train."""

    recipes: dict[Name, AnyRecipe] = Field(default_factory=dict)
    """How encoders of our own are trained: results/encoders/{recipe}/, for ``model`` to name."""


def problems(config: Entries) -> tuple[str, ...]:
    """Nothing: a recipe names all that it needs within itself."""
    return ()
