"""Train's section of ``config.yaml``: recipes."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from physprobe.config import problems as said
from physprobe.config.kinds import any_spec
from physprobe.config.spec import Spec
from physprobe.config.system import Name
from physprobe.train._training import MADE

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
        for line in recipe.descends(config.recipes):
            yield f"recipes.{name}.{line}"
        if recipe.source is None:
            continue
        if recipe.source not in config.systems:
            known = ", ".join(config.systems)
            near = said.nearest(recipe.source, config.systems)
            yield f"recipes.{name}.data: no system {recipe.source!r}; there are {known}.{near}"
            continue
        for line in recipe.misfits(config.systems[recipe.source]):
            yield f"recipes.{name}.{line}"
    for name in config.studies:
        for system in config.shown(name):
            yield from _of_study(config, name, system)


def _of_study(config: Any, name: str, system: str) -> Iterator[str]:
    """Encoders of recipes that can't embed a study's clips, or may not be scored on them."""
    if system not in config.systems:
        return
    for asked in config.studies[name].names:
        spec = config.embeddings.get(asked)
        for model in map(Path, spec.checkpoints if spec else ()):
            if model.parent == MADE and model.name in config.recipes:
                for line in config.recipes[model.name].unseen(config.systems[system], system):
                    yield f"studies.{name}: {asked} is read from {model}; {line}"
