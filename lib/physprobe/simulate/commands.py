"""Simulate's commands; ``films`` and ``well`` are for people, no rule runs them."""

from typing import TYPE_CHECKING, Any

from physprobe.config.stages import Command, Figure, Stage

if TYPE_CHECKING:
    from physprobe.simulate.entries import Refined


def _refined(config: Any, asked: Any) -> "Refined":
    """How a system is solved more finely, and the system."""
    from physprobe.simulate.entries import Refined, Resolution

    entry = config.resolutions.get(asked.system) or Resolution()
    return Refined(simulate=config.systems[asked.system].simulate, **dict(entry))


def _figures(config: Any) -> dict[str, Figure]:
    """Errors of all fluids that are solved more finely, and of those that a study shows."""
    sources = {name: f"results/{name}/resolution.json" for name in config.resolutions}
    found = {"resolution": Figure("resolution", tuple(sources.values()), "resolution")}
    for name, study in config.studies.items():
        own = tuple(sources[system] for system in study.filmed if system in sources)
        if own:
            found[f"{name}/resolution"] = Figure("resolution", own, name)
    return found if sources else {}


STAGE = Stage(
    {
        "simulate": Command(
            entry=lambda config, asked: config.systems[asked.system].simulate,
            kinds=lambda config, asked: [
                f"simulate.{config.systems[asked.system].simulate.kind}",
            ],
            params={
                "files": lambda config, asked: config.systems[asked.system].simulate.listing(),
            },
        ),
        "refine": Command(
            "_resolution:run",
            entry=_refined,
            model="simulate.Refined",
            kinds=lambda config, asked: [
                f"simulate.{config.systems[asked.system].simulate.kind}",
            ],
        ),
        "films": Command("_films:run"),
        "well": Command("_well:run"),
    },
    wildcards={"system": lambda config: config.systems},
    figures=_figures,
)
