"""
Probe: decode a system's labels from an embedding, nested, with intervals and nulls.

INPUT   results/{system}/embeddings/{encoder}.zarr  results/{system}/simulation.zarr
OUTPUT  results/{system}/probes/{encoder}.{probe}.json   rows and held-out predictions; see results/README.md
        results/{comparison}/probes/{encoder}.{probe}.json   the same for all systems of a comparison together
"""


rule probe:
    input:
        embeddings="results/{system}/embeddings/{encoder}.zarr/zarr.json",
        simulation="results/{system}/simulation.zarr/zarr.json",
    output:
        "results/{system}/probes/{encoder}.{probe}.json",
    log:
        "results/logs/{system}/probe.{encoder}.{probe}.log",
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        spec=pipeline.spec("probe"),
        code=pipeline.code("probe"),
    message:
        "Probe {wildcards.system}: decode labels from {wildcards.encoder} by {wildcards.probe}"
    shell:
        "python -m physprobe probe --embeddings {input.embeddings} --simulation {input.simulation}"
        " --out {output} --spec {params.spec:q} --code {params.code} --threads {threads} 2>&1 | tee {log}"


rule probe_together:
    input:
        unpack(pipeline.compared),
    output:
        "results/{comparison}/probes/{encoder}.{probe}.json",
    log:
        "results/logs/{comparison}/probe.{encoder}.{probe}.log",
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=8000,
        runtime=240,
    params:
        spec=pipeline.spec("probe"),
        code=pipeline.code("probe"),
    message:
        "Probe {wildcards.comparison}: tell equations apart from {wildcards.encoder} by {wildcards.probe}"
    shell:
        "python -m physprobe probe --embeddings {input.embeddings} --simulation {input.simulation}"
        " --out {output} --spec {params.spec:q} --code {params.code} --threads {threads} 2>&1 | tee {log}"
