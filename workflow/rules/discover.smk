"""
Discover: read the governing law off a system's clips - order in time, dispersion, verdict - without labels.

INPUT   results/{system}/simulation.zarr  and, for video and encoders,  clips.zarr  or  embeddings/{source}.zarr
OUTPUT  results/{system}/discovery/{source}.json          source: field, video, or an encoder with spatial tokens
        results/discovery/metrics.json                    verdicts right, wrong and missing; see results/README.md
"""


rule discover:
    input:
        unpack(pipeline.inputs("discover")),
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


rule survey:
    input:
        unpack(pipeline.inputs("survey")),
    output:
        "results/discovery/metrics.json",
    log:
        "results/logs/discovery/survey.log",
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        spec=pipeline.spec("survey"),
        code=pipeline.code("survey"),
    message:
        "Survey: verdicts on all systems from all sources"
    shell:
        "python -m physprobe survey --discoveries {input.discoveries} --out {output}"
        " --spec {params.spec:q} --code {params.code} --threads {threads} 2>&1 | tee {log}"
