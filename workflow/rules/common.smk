"""
Common: the validated config, and what every rule takes from it.
"""

import sys

sys.path.insert(0, f"{workflow.basedir}/lib")

from snakemake.exceptions import WorkflowError

from physprobe.core.config import ConfigError
from physprobe.core.workflow import Pipeline, lead_jobs_here

lead_jobs_here()

try:
    pipeline = Pipeline(config)
except ConfigError as error:
    raise WorkflowError(str(error)) from None


wildcard_constraints:
    system="|".join(pipeline.systems),
    recipe="|".join(pipeline.recipes) or "none",
    encoder="|".join(pipeline.embeddings),
    probe="|".join(pipeline.probes),
    model="|".join(pipeline.models),
    source="|".join(pipeline.sources),
    study="|".join(pipeline.studies),
    gate="|".join(pipeline.gates) or "none",
    transfer="|".join(pipeline.transfers) or "none",
    comparison="|".join(pipeline.comparisons) or "none",
    layerwise="|".join(pipeline.layerwise) or "none",
    multiverse="|".join(pipeline.multiverses) or "none",
    figure="|".join(pipeline.figures) or "none",
