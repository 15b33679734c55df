"""Survey's command."""

from typing import Any

from physprobe.config.stages import Command, Figure, Stage


def _fits(config: Any, asked: Any) -> dict[str, list[str]]:
    """Laws of all systems from all sources."""
    entry = config.discovery
    return {
        "fits": [
            f"results/{system}/fits/{source}.{entry.method}.json"
            for system in entry.systems
            for source in entry.sources
        ]
    }


STAGE = Stage(
    {
        "survey": Command(
            entry=lambda config, asked: config.discovery,
            reads=("systems", "sources"),
            model="survey.Discovery",
            inputs=_fits,
        )
    },
    figures=lambda config: {
        f"discovery/{kind}": Figure(kind, ("results/discovery/metrics.json",), "discovery")
        for kind in ("confusion", "dispersion")
    },
)
