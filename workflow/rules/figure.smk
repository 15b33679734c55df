"""
Figure: draw one result, or several of a kind, as a picture with the numbers that it shows.

INPUT   a result of any stage that declares a figure of it (`figures` in its commands.py)
OUTPUT  results/{drawn}.png  results/{drawn}.csv   such as gates/small, balls/fig2c, encoders/learning; see results/README.md
"""


rule figure:
    input:
        unpack(pipeline.inputs("figure")),
        style=packaged("report/physprobe.mplstyle"),
    output:
        figure=report(
            "results/{drawn}.png",
            caption="../report/figure.rst",
            category=pipeline.param("figure", "category"),
        ),
        table="results/{drawn}.csv",
    log:
        "results/logs/{drawn}.figure.log",
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        kind=pipeline.param("figure", "kind"),
        caption=pipeline.param("figure", "caption"),
        code=pipeline.code("figure"),
    message:
        "Draw {wildcards.drawn}"
    shell:
        "python -m physprobe figure --kind {params.kind} --sources {input.sources:q}"
        " --out {output.figure} --table {output.table}"
        " --code {params.code} --threads {threads} 2>&1 | tee {log}"
