"""Discover's command."""

from typing import Any

from physprobe.config.stages import STORE, Command, Stage


def _inputs(config: Any, asked: Any) -> dict[str, str]:
    """Simulation, and the store that a law is read off."""
    folder, name = f"results/{asked.system}", asked.source
    stores = {"field": "simulation", "video": "clips"}
    return {
        "simulation": f"{folder}/simulation.zarr/{STORE}",
        "source": f"{folder}/{stores.get(name, f'embeddings/{name}')}.zarr/{STORE}",
    }


STAGE = Stage(
    {
        "discover": Command(
            entry=lambda config, asked: config.discovery.method,
            inputs=_inputs,
            kinds=lambda config, asked: [f"discover.{config.discovery.method.kind}"],
        )
    },
    wildcards={"source": lambda config: config.with_grid()},
)
