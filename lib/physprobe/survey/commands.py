"""Survey's command."""

from physprobe.config.stages import Command, Stage

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
    }
)
