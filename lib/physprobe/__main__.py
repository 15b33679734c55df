"""The one door to the stages: ``python -m physprobe <stage> --option value ...``."""

import argparse
import importlib
import inspect
import logging
import sys
import traceback
import typing
from collections.abc import Callable
from pathlib import Path

from physprobe.core import job

PACKAGE = Path(__file__).parent
STAGES = {
    "simulate": "physprobe.simulate.stage:run",
    "render": "physprobe.render.stage:run",
    "preview": "physprobe.render.stage:preview",
    "train": "physprobe.train.stage:run",
    "embed": "physprobe.embed.stage:run",
    "probe": "physprobe.probe.stage:run",
    "transfer_probe": "physprobe.probe.stage:transfer",
    "koopman": "physprobe.koopman.stage:run",
    "head": "physprobe.koopman.stage:head",
    "discover": "physprobe.discover.stage:run",
    "survey": "physprobe.survey.stage:run",
    "falsify": "physprobe.falsify.stage:run",
    "compare": "physprobe.falsify.stage:compare",
    "gate": "physprobe.falsify.stage:gate",
    "transfer": "physprobe.falsify.stage:transfer",
    "layerwise": "physprobe.layerwise.stage:run",
    "multiverse_probe": "physprobe.multiverse.stage:run",
    "multiverse": "physprobe.multiverse.stage:compare",
    "local": "physprobe.local.stage:run",
    "fit": "physprobe.report.stage:fit",
    "fit_comparison": "physprobe.report.stage:compare",
    "learning": "physprobe.report.drawing:learning",
    "layerwise_figure": "physprobe.report.drawing:layerwise",
    "figure": "physprobe.report.drawing:figure",
    "page": "physprobe.report.page:run",
    "calibrate": "physprobe.calibrate.stage:run",
    "export": "physprobe.core.export:run",
    "schema": "physprobe.core.config:write_schema",
}


def main(argv: list[str] | None = None) -> int:
    """Run one stage; the exit status says whether its output is there."""
    argv = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(prog="python -m physprobe", description=__doc__)
    parser.add_argument("stage", choices=STAGES, help="what to run; each has its own --help")
    if not argv or argv[0] not in STAGES:
        parser.parse_args(argv or ["--help"])
    stage, options = argv[0], argv[1:]

    early = argparse.ArgumentParser(add_help=False)
    early.add_argument("--threads", type=int, default=1)
    job.limit_threads(early.parse_known_args(options)[0].threads)
    logging.basicConfig(level=logging.INFO, format=f"{stage}: %(message)s", stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)

    module, name = STAGES[stage].split(":")
    function = getattr(importlib.import_module(module), name)
    arguments = _parser(stage, function).parse_args(options)
    try:
        function(**vars(arguments))
    except (ValueError, OSError, RuntimeError, ImportError) as error:
        if not _ours(error):
            raise
        logging.getLogger("physprobe").error("error: %s", error)
        return 1
    return 0


def _parser(stage: str, function: Callable) -> argparse.ArgumentParser:
    """Options from a stage function's signature, help from its docstring."""
    text = inspect.getdoc(function) or ""
    parser = argparse.ArgumentParser(
        prog=f"python -m physprobe {stage}",
        description=text,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    hints = typing.get_type_hints(function)
    for name, parameter in inspect.signature(function).parameters.items():
        hint = hints[name]
        many = typing.get_origin(hint) is list
        required = parameter.default is inspect.Parameter.empty
        parser.add_argument(
            "--" + name.replace("_", "-"),
            type=typing.get_args(hint)[0] if many else hint,
            nargs="*" if many else None,
            required=required,
            default=None if required else parameter.default,
        )
    return parser


def _ours(error: BaseException) -> bool:
    """Whether this package raised an error itself: then its message is enough."""
    frames = traceback.extract_tb(error.__traceback__)
    return Path(frames[-1].filename).is_relative_to(PACKAGE)


if __name__ == "__main__":
    sys.exit(main())
