"""
physprobe: is the physics in a video model's embedding, where, and how sure are we?

    simulate -> render -> embed -> fit -> falsify -> report
"""

from snakemake.utils import min_version

min_version("9.27")


include: "workflow/rules/common.smk"
include: "workflow/rules/simulate.smk"
include: "workflow/rules/render.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/embed.smk"
include: "workflow/rules/freeze.smk"
include: "workflow/rules/fit.smk"
include: "workflow/rules/falsify.smk"
include: "workflow/rules/calibrate.smk"
include: "workflow/rules/layout.smk"
include: "workflow/rules/figure.smk"
include: "workflow/rules/report.smk"


report: "workflow/report/workflow.rst"


rule all:
    default_target: True
    input:
        "results/report.html",
        pipeline.everything,
