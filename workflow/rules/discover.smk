"""
Discover: read the governing law off a system's clips - order in time, dispersion, verdict - without labels.

INPUT   results/{system}/simulation.zarr  and, for video and encoders,  clips.zarr  or  embeddings/{source}.zarr
OUTPUT  results/{system}/discovery/{source}.json                  source: field, video, or an encoder with spatial tokens
"""


rule discover:
    input:
        simulation="results/{system}/simulation.zarr/zarr.json",
        source=pipeline.source,
    output:
        "results/{system}/discovery/{source}.json",
    log:
        "results/logs/{system}/discover.{source}.log",
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        spec=pipeline.spec("discover"),
        code=pipeline.code("discover"),
    message:
        "Discover {wildcards.system}: the law from {wildcards.source}"
    shell:
        "python -m physprobe discover --simulation {input.simulation} --source {input.source}"
        " --out {output} --spec {params.spec:q} --code {params.code} --threads {threads} 2>&1 | tee {log}"
