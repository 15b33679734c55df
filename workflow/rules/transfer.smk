"""
Transfer: compare probes that were fitted elsewhere with those of ordinary folds.

INPUT   results/{transfer}/fits/{encoder}.{method}.json  results/{system}/fits/{encoder}.{method}.json
OUTPUT  results/transfers/{transfer}.json   beside ordinary folds; see results/README.md
"""


rule transfer:
    input:
        unpack(pipeline.inputs("transfer")),
    output:
        "results/transfers/{transfer}.json",
    log:
        "results/logs/transfers/{transfer}.log",
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        spec=pipeline.spec("transfer"),
        code=pipeline.code("transfer"),
    message:
        "Compare {wildcards.transfer} with ordinary folds"
    shell:
        "python -m physprobe transfer --transferred {input.transferred} --ordinary {input.ordinary}"
        " --out {output} --spec {params.spec:q} --code {params.code} --threads {threads} 2>&1 | tee {log}"
