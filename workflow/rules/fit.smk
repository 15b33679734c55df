"""
Fit: one method - a probe, a model of the dynamics - applied to one encoder's embeddings under one design.

INPUT   results/{system}/embeddings/{encoder}.zarr  results/{system}/simulation.zarr
OUTPUT  results/{place}/fits/{encoder}.{method}.json   rows and held-out predictions; see results/README.md
        results/{study}/{method}.safetensors           of a method that has weights: fitted on every clip
"""


rule fit:
    input:
        unpack(pipeline.inputs("fit")),
    output:
        "results/{place}/fits/{encoder}.{method}.json",
    log:
        "results/logs/{place}/fit.{encoder}.{method}.log",
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=8000,
        runtime=240,
    params:
        spec=pipeline.spec("fit"),
        design=pipeline.param("fit", "design"),
        code=pipeline.code("fit"),
    message:
        "Fit {wildcards.place}: {wildcards.method} to {wildcards.encoder}"
    shell:
        "python -m physprobe fit --embeddings {input.embeddings} --simulation {input.simulation}"
        " --out {output} --design {params.design:q}"
        " --spec {params.spec:q} --code {params.code} --threads {threads} 2>&1 | tee {log}"


rule weights:
    input:
        unpack(pipeline.inputs("weights")),
    output:
        "results/{study}/{method}.safetensors",
    log:
        "results/logs/{study}/weights.{method}.log",
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        spec=pipeline.spec("weights"),
        code=pipeline.code("weights"),
    message:
        "Fit {wildcards.method} on every clip of {wildcards.study}"
    shell:
        "python -m physprobe weights --embeddings {input.embeddings} --simulation {input.simulation}"
        " --out {output} --spec {params.spec:q} --code {params.code} --threads {threads} 2>&1 | tee {log}"
