"""
Embed: run a frozen encoder over every clip of a system and keep the pooled hidden states of each layer.

INPUT   results/{system}/clips.zarr   and, for a control that reads it,  simulation.zarr
OUTPUT  results/{system}/embeddings/{encoder}.zarr   (clip, layer, time, feature); see results/README.md
"""


scattergather:
    embedding=1,


rule embed:
    input:
        unpack(pipeline.inputs("embed")),
        # what jobs with a share of the clips each leave: --set-scatter embedding=4
        parts=lambda wildcards: pipeline.parts(
            "embed",
            wildcards,
            gather.embedding(
                f"results/{wildcards.system}/embeddings/{wildcards.encoder}.{{scatteritem}}"
            ),
        ),
    output:
        "results/{system}/embeddings/{encoder}.zarr/zarr.json",
    log:
        "results/logs/{system}/embed.{encoder}.log",
    priority: 1  # fits wait for the longest of them
    conda:
        "../../envs/gpu.yaml"
    threads: lambda wildcards: min(pipeline.param("embed", "threads")(wildcards), quarter)
    resources:
        gpu=pipeline.param("embed", "gpus"),
        mem_mb=8000,
        runtime=240,
    params:
        spec=pipeline.spec("embed"),
        code=pipeline.code("embed"),
        files=pipeline.param("embed", "files"),
        part="",
        out="results/{system}/embeddings/{encoder}.zarr/zarr.json",
    message:
        "Embed {wildcards.system} by {wildcards.encoder}"
    shell:
        "python -m physprobe embed --clips {input.clips} --simulation {input.simulation} --out {params.out}"
        " --spec {params.spec:q} --code {params.code} --threads {threads}{params.part} 2>&1 | tee {log}"


use rule embed as embed_part with:
    input:
        unpack(pipeline.inputs("embed")),
    output:
        temp(touch("results/{system}/embeddings/{encoder}.{scatteritem}")),
    log:
        "results/logs/{system}/embed.{encoder}.{scatteritem}.log",
    params:
        spec=pipeline.spec("embed"),
        code=pipeline.code("embed"),
        files=pipeline.param("embed", "files"),
        part=lambda wildcards: f" --part {wildcards.scatteritem.replace('-of-', '/')}",
        out="results/{system}/embeddings/{encoder}.zarr/zarr.json",
    message:
        "Embed {wildcards.system} by {wildcards.encoder}: part {wildcards.scatteritem}"
