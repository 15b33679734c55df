"""Train's section of ``config.yaml``: recipes."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pydantic import Field

from physprobe.config import problems as said
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


def problems(config: Any) -> Iterator[str]:
    """Recipes that read the stores of systems that there aren't, or whose clips don't do."""
    for name, recipe in config.recipes.items():
        if recipe.source is None:
            continue
        if recipe.source not in config.systems:
            known = ", ".join(config.systems)
            near = said.nearest(recipe.source, config.systems)
            yield f"recipes.{name}.data: no system {recipe.source!r}; there are {known}.{near}"
            continue
        for line in recipe.misfits(config.systems[recipe.source]):
            yield f"recipes.{name}.{line}"
