"""Survey's command."""

from physprobe.config.stages import Command, Figure, Stage

STAGE = Stage(
    {
        "survey": Command(
            entry=lambda config, asked: config.discovery,
            reads=("systems", "sources"),
            model="discover.Discovery",
            inputs=lambda config, asked: {
                "discoveries": [
                    f"results/{system}/discovery/{source}.json"
                    for system in config.discovery.systems
                    for source in config.discovery.sources
                ]
            },
        )
    },
    figures=lambda config: {
        f"discovery/{kind}": Figure(kind, ("results/discovery/metrics.json",), "discovery")
        for kind in ("confusion", "dispersion")
    },
)
