"""Simulate's commands; ``films`` and ``well`` are for people, no rule runs them."""

from physprobe.config.stages import Command, Stage

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
        "films": Command("_films:run"),
        "well": Command("_well:run"),
    },
    wildcards={"system": lambda config: config.systems},
)
