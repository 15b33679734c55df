"""Pipeline: what the rules need of the config and of what stages declare, by wildcard."""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from physprobe.config import fingerprint, installation, model, stages
from physprobe.config.config_files import Content

PACKAGE = Path(__file__).parents[1]
Value = Callable[[Any], Any]
"""Function of a rule's wildcards, as Snakemake calls it."""


def lead_jobs_here() -> None:
    """Let the jobs that Snakemake starts run this interpreter and this very package.

    A job's ``python`` is that of Snakemake's environment, activated or not; an environment that
    ``--sdm conda`` activates in the job goes before it. A package that is installed there, not a
    checkout, is found without being led to, and has one path in the working directory.
    """
    if installation.installed():
        installation.link()
    else:
        _lead("PYTHONPATH", PACKAGE.parent)
    _lead("PATH", Path(sys.executable).parent)


def _lead(variable: str, folder: Path) -> None:
    """Put a folder first in a search path of the environment."""
    first = str(folder)
    before = [path for path in os.environ.get(variable, "").split(os.pathsep) if path]
    os.environ[variable] = os.pathsep.join([first, *(path for path in before if path != first)])


class Pipeline:
    """The validated config as Snakemake sees it: plain text, paths, or functions of the wildcards.

    Each method takes a command and says what its folder declares of it; see ``stages``.

    Parameters
    ----------
    content : Content, or mapping
        What the config files say.
    """

    def __init__(self, content: Content | Mapping):
        self.config = model.load(content)

    @property
    def wildcards(self) -> dict[str, str]:
        """Pattern of every wildcard: the names that it may stand for."""
        return {
            wildcard: "|".join(sorted(names(self.config))) or "none"
            for stage in stages.declared().values()
            for wildcard, names in stage.wildcards.items()
        }

    def inputs(self, command: str) -> Value:
        """Paths by name of the input."""
        return self._of(stages.commands()[command][1].inputs)

    def param(self, command: str, name: str) -> Value:
        """What else a rule passes on or asks for."""
        return self._of(stages.commands()[command][1].params[name])

    def parts(self, command: str, wildcards: Any, found: list[str]) -> list[str]:
        """What jobs with a share of the work each leave; of one job, or without a GPU, nothing."""
        several = len(found) > 1 and self.param(command, "gpus")(wildcards)
        return found if several else []

    def spec(self, command: str) -> Value:
        """Canonical JSON of what the command reads of its entry; of none an empty one."""
        _, declared = stages.commands()[command]

        def text(wildcards: Any) -> str:
            entry = declared.entry(self.config, wildcards)
            return "{}" if entry is None else entry.canonical(*declared.reads)

        return text

    def code(self, command: str, *kinds: str) -> Value:
        """Fingerprint of a command's module with the kinds that it finds by name.

        Parameters
        ----------
        command : str
        *kinds : str
            Kinds of the same folder that the rule itself names.
        """
        folder, declared = stages.commands()[command]
        module = declared.function.partition(":")[0]
        named = [f"{folder}.{name}" for name in (module, *kinds)]
        return lambda wildcards: fingerprint.code(*named, *declared.kinds(self.config, wildcards))

    def everything(self, wildcards: object) -> list[str]:
        """What people take from a config's results, beside the page and what that shows."""
        found = (stage.wanted(self.config) for stage in stages.declared().values())
        return sorted({path for paths in found for path in paths})

    def _of(self, declared: stages.Asked) -> Value:
        return lambda wildcards: declared(self.config, wildcards)
