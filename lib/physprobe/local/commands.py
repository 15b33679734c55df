"""Local's command."""

from typing import TYPE_CHECKING, Any

from physprobe.config.stages import Command, Figure, Stage

if TYPE_CHECKING:
    from physprobe.local.entries import Local


def _entry(config: Any, asked: Any) -> "Local":
    """An entry as one of its encoders has it."""
    return config.local[asked.local].model_copy(update={"encoders": (asked.encoder,)})


def _inputs(config: Any, asked: Any) -> dict[str, str]:
    """Fit of one encoder's parts of the image."""
    entry = config.local[asked.local]
    return {"fit": f"results/{asked.local}/fits/{asked.encoder}.{entry.method}.json"}


def located(config: Any) -> list[str]:
    """Local results, without their ending."""
    return [
        f"results/{where}/local/{name}"
        for where, entry in config.local.items()
        for name in entry.encoders
    ]


STAGE = Stage(
    {"local": Command(entry=_entry, model="local.Local", inputs=_inputs)},
    wildcards={"local": lambda config: config.local},
    figures=lambda config: {
        f"{where}/local/{name}": Figure("local", (f"results/{where}/local/{name}.json",), where)
        for where, entry in config.local.items()
        for name in entry.encoders
    },
    wanted=lambda config: (f"{path}.png" for path in located(config)),
)
