"""System: a physical world and the way it is filmed, as studies and training streams name it."""

from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, model_validator

from physprobe.config.kinds import any_spec
from physprobe.config.spec import Spec

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
"""Name of a config entry; it becomes a path."""


if TYPE_CHECKING:

    class Simulate(Spec):
        """What a type checker knows of every kind of ``simulate``; see its ``section.py``."""

        kind: str
        clips: int
        frames: int
        size: int
        seed: int

    class Render(Spec):
        """What it knows of every kind of ``render``."""

        kind: str

else:
    Simulate, Render = any_spec("simulate"), any_spec("render")


class System(Spec):
    """A physical world and the way it is filmed."""

    simulate: Simulate
    """Equation, grid, and the draws of each clip's parameters."""
    render: Render
    """From field to video."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        folders = [getattr(part, "folder", None) for part in (self.simulate, self.render)]
        if folders[0] != folders[1]:
            raise ValueError(
                f"two folders, {folders[0]} to simulate and {folders[1]} to render; what is read"
                " from files is rendered from the same files"
            )
        return self
