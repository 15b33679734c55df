"""Simulate's command."""

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
        )
    },
    wildcards={"system": lambda config: config.systems},
)
