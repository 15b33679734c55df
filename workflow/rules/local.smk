"""
Local: decode labels from the token under the ball, from one far away, and patch by patch.

INPUT   results/{local}/fits/{encoder}.{method}.json
OUTPUT  results/{local}/local/{encoder}.json   see results/README.md
"""


rule local:
    input:
        unpack(pipeline.inputs("local")),
    output:
        "results/{local}/local/{encoder}.json",
    log:
        "results/logs/{local}/local.{encoder}.log",
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=8000,
        runtime=120,
    params:
        spec=pipeline.spec("local"),
        code=pipeline.code("local"),
    message:
        "Look where in the image {wildcards.encoder} holds labels of {wildcards.local}"
    shell:
        "python -m physprobe local --fit {input.fit} --out {output}"
        " --spec {params.spec:q} --code {params.code} --threads {threads} 2>&1 | tee {log}"
