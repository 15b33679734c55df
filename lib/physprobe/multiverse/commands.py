"""Multiverse's command."""

from typing import Any

from physprobe.config.stages import Command, Figure, Stage


def _inputs(config: Any, asked: Any) -> dict[str, list[str]]:
    """Fits of a multiverse's encoders and controls."""
    entry = config.multiverses[asked.multiverse]
    return {
        "fits": [
            f"results/{asked.multiverse}/fits/{name}.{method}.json"
            for name in (*entry.encoders, *entry.controls)
            for method in entry.methods
        ]
    }


STAGE = Stage(
    {
        "multiverse": Command(
            entry=lambda config, asked: config.multiverses[asked.multiverse],
            model="multiverse.Multiverse",
            inputs=_inputs,
        )
    },
    wildcards={"multiverse": lambda config: config.multiverses},
    figures=lambda config: {
        f"{name}/multiverse": Figure("multiverse", (f"results/{name}/multiverse.json",), name)
        for name in config.multiverses
    },
    wanted=lambda config: (f"results/{name}/multiverse.png" for name in config.multiverses),
)
