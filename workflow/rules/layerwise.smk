"""
Layerwise: where in an encoder labels become readable, beside the controls and what is published.

INPUT   results/{system}/fits/{encoder}.{method}.json  results/{system}/embeddings/{encoder}.zarr
OUTPUT  results/{layerwise}/{figure}.json                              scores, bands, onsets, table; see results/README.md
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
