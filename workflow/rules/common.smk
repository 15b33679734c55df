"""
Common: the validated config, and what rules take from it. There is no `configfile:` here: Snakemake would run what
a config file may hold. It is read as data, config.yaml first, then every --configfile, then --config.
"""

import sys

sys.path.insert(0, f"{workflow.basedir}/lib")

from snakemake.exceptions import WorkflowError

from physprobe.config.spec import Spec

# What each field means is for the schema alone: to look it up would be a third of the config's time.
Spec.model_config["use_attribute_docstrings"] = False

from physprobe.config import config_files
from physprobe.config.pipeline import Pipeline, lead_jobs_here
from physprobe.config.installation import packaged
from physprobe.store.job import draw_to_files

lead_jobs_here()
draw_to_files()

try:
    workflow.configfiles[:] = config_files.chosen(
        workflow.config_settings.configfiles, alone=workflow.config_settings.replace_workflow_config
    )
    pipeline = Pipeline(config_files.gather(workflow.configfiles, workflow.config_settings.config))
except config_files.ConfigError as error:
    raise WorkflowError(str(error)) from None

# of the cores, or of eight on a cluster: what runs beside others of its kind takes no more
quarter = max(1, (workflow.cores or 8) // 4)


wildcard_constraints:
    **pipeline.wildcards,
