"""
Fit: one method - a probe, a model of the dynamics, a law - applied to one encoder's embeddings under one design.

INPUT   results/{system}/embeddings/{source}.zarr  results/{system}/simulation.zarr
        of a law also  simulation.zarr, as the source field,  or  clips.zarr, as video,  in the place of the embeddings
        of a decoder also  clips.zarr, beside them, and that of another system, if it shows one
OUTPUT  results/{place}/fits/{source}.{method}.json   rows and held-out predictions; see results/README.md
        results/{study}/{method}.safetensors           of a method that has weights: fitted on every clip
"""


rule fit:
    input:
        unpack(pipeline.inputs("fit")),
    output:
        "results/{place}/fits/{source}.{method}.json",
    log:
        "results/logs/{place}/fit.{source}.{method}.log",
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
        "Fit {wildcards.place}: {wildcards.method} to {wildcards.source}"
    shell:
        "python -m physprobe fit --embeddings {input.embeddings} --simulation {input.simulation}"
        " --clips {input.clips} --abroad {input.abroad} --out {output} --design {params.design:q}"
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
