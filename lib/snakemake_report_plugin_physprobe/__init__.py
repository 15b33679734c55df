"""Let Snakemake read config files as data.

Snakemake reads every ``--configfile`` before it reads a Snakefile, and runs the templates (YTE)
that a file may hold, even in a dry run. It imports packages of this name before that: this one puts
``physprobe.config.config_files`` in the place of its reader. As a plugin it is Snakemake's own HTML
report.
"""

import sys
from pathlib import Path

from snakemake.common import configfile
from snakemake.report.html_reporter import Reporter
from snakemake_interface_common.exceptions import WorkflowError

from physprobe.config import config_files

__all__ = ["Reporter"]

# A Snakefile imports the library that lies beside it, which may be another copy than this one.
for name in [name for name in sys.modules if name.partition(".")[0] == "physprobe"]:
    del sys.modules[name]

_of_objects = configfile._load_configfile


def _load(source: object, filetype: str = "Config") -> object:
    """Content of a config file, as Snakemake asks for it."""
    if not isinstance(source, str | Path):
        return _of_objects(source, filetype)
    try:
        return config_files.read(Path(source)).values
    except config_files.ConfigError as error:
        raise WorkflowError(f"the config can't be used:\n{error}") from None


configfile._load_configfile = _load
