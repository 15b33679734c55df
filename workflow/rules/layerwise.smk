"""
Layerwise: where in an encoder labels become readable, beside the controls and what is published.

INPUT   results/{system}/fits/{encoder}.{method}.json  results/{system}/embeddings/{encoder}.zarr
OUTPUT  results/{layerwise}/{figure}.json                              scores, bands, onsets, table
        results/{layerwise}/{figure}.png  results/{layerwise}/{figure}.csv   see results/README.md
"""


rule layerwise:
    input:
        unpack(pipeline.inputs("layerwise")),
    output:
        "results/{layerwise}/{figure}.json",
    log:
        "results/logs/{layerwise}/{figure}.log",
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        spec=pipeline.spec("layerwise"),
        code=pipeline.code("layerwise"),
    message:
        "Compare the layers of {wildcards.layerwise}: {wildcards.figure}"
    shell:
        "python -m physprobe layerwise --probes {input.probes} --embeddings {input.embeddings}"
        " --out {output} --spec {params.spec:q} --code {params.code} --threads {threads} 2>&1 | tee {log}"


rule layerwise_figure:
    input:
        result="results/{layerwise}/{figure}.json",
        published=packaged("report/published_layers.yaml"),
        style=packaged("report/physprobe.mplstyle"),
    output:
        figure=report(
            "results/{layerwise}/{figure}.png",
            caption="../report/layerwise.rst",
            category="{layerwise}",
        ),
        table="results/{layerwise}/{figure}.csv",
    log:
        "results/logs/{layerwise}/{figure}.figure.log",
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        code=pipeline.code("layerwise_figure"),
    message:
        "Draw {wildcards.figure} of {wildcards.layerwise}"
    shell:
        "python -m physprobe layerwise_figure --result {input.result} --published {input.published:q}"
        " --figure {output.figure} --table {output.table}"
        " --code {params.code} --threads {threads} 2>&1 | tee {log}"
