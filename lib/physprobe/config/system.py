"""System: a physical world and the way it is filmed, as studies and training streams name it."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from physprobe.config.kinds import any_spec
from physprobe.config.spec import Spec

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
"""Name of a config entry; it becomes a path."""


class System(Spec):
    """A physical world and the way it is filmed."""

    simulate: any_spec("simulate")
    """Equation, grid, and the draws of each clip's parameters."""
    render: any_spec("render")
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
