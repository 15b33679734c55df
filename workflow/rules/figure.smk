"""
Figure: draw a result, several of a kind, or a study's evidence, as a picture with the numbers that it shows.

INPUT   results of any stage that declares a figure of them (`figures` in its commands.py), or a study's fits
OUTPUT  results/{drawn}.png  .svg  .csv            such as heat/ladder, balls/fig2c, encoders/learning; see results/README.md
        results/{study}/forecast.mp4               held-out clips, forecast and decoded, of a study that has a decoder
        results/{study}/phase.gif                  plane of the signal, as it is and as it is read, of a study of recovery
"""


rule figure:
    input:
        unpack(pipeline.inputs("figure")),
        style=packaged("drawing/physprobe.mplstyle"),
    output:
        figure=report(
            "results/{drawn}.png",
            caption="../report/figure.rst",
            category=pipeline.param("figure", "category"),
        ),
        vector="results/{drawn}.svg",
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
        claims=pipeline.param("figure", "claims"),
        caption=pipeline.param("figure", "caption"),
        spec=pipeline.spec("figure"),
        code=pipeline.code("figure"),
    message:
        "Draw {wildcards.drawn}"
    shell:
        "python -m physprobe figure --kind {params.kind} --sources {input.sources:q}"
        " --fits {input.fits} --embeddings {input.embeddings} --simulation {input.simulation}"
        " --clips {input.clips} --claims {params.claims} --out {output.figure}"
        " --vector {output.vector} --table {output.table}"
        " --spec {params.spec:q} --code {params.code} --threads {threads} 2>&1 | tee {log}"


rule film:
    input:
        unpack(pipeline.inputs("film")),
    output:
        report(
            "results/{study}/{film}",
            caption="../report/figure.rst",
            category="{study}",
        ),
    log:
        "results/logs/{study}/{film}.log",
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        caption=pipeline.param("film", "caption"),
        code=pipeline.code("film"),
    message:
        "Film {wildcards.study}: {wildcards.film}"
    shell:
        "python -m physprobe film --fits {input.fits} --out {output}"
        " --code {params.code} --threads {threads} 2>&1 | tee {log}"
