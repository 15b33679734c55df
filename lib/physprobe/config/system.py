"""System: a physical world and the way it is filmed, as studies and training streams name it."""

from typing import TYPE_CHECKING, Annotated, Self

from pydantic import ConfigDict, Field, model_validator

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

    model_config = ConfigDict(json_schema_extra=lambda schema: schema["required"].remove("render"))

    simulate: Simulate
    """Equation, grid, and the draws of each clip's parameters; or the files that are read."""
    render: Render
    """From field to video; of systems that are read from files it may be left out."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        own, drawn = (dict(part) for part in (self.simulate, self.render))
        both = own.keys() & drawn.keys() if own["kind"] == drawn["kind"] else set()
        shared = both | ({"folder"} & drawn.keys())
        for name in sorted(shared):
            if own.get(name) != drawn.get(name):
                raise ValueError(
                    f"two {name}s, {own.get(name)} to simulate and {drawn.get(name)} to render;"
                    " what is read from files is rendered from the same files"
                )
        return self
