"""
Common: the validated config, and what every rule takes from it.
"""

import os
import sys

LIB = os.path.join(workflow.basedir, "lib")
sys.path.insert(0, LIB)
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [LIB, os.environ.get("PYTHONPATH")]))

from snakemake.exceptions import WorkflowError

from physprobe.core.config import ConfigError
from physprobe.core.workflow import Pipeline

try:
    pipeline = Pipeline(config)
except ConfigError as error:
    raise WorkflowError(str(error)) from None


wildcard_constraints:
    system="|".join(pipeline.systems),
    encoder="|".join(pipeline.embeddings),
    probe="|".join(pipeline.probes),
    model="|".join(pipeline.models),
    study="|".join(pipeline.studies),
