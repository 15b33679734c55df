"""
Multiverse: fit a probe in every defensible way, and count which share of them supports each claim.

INPUT   results/{multiverse}/fits/{encoder}.{method}.json
OUTPUT  results/{multiverse}/multiverse.json   verdicts and shares; see results/README.md
"""


rule multiverse:
    input:
        unpack(pipeline.inputs("multiverse")),
    output:
        "results/{multiverse}/multiverse.json",
    log:
        "results/logs/{multiverse}/multiverse.log",
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        spec=pipeline.spec("multiverse"),
        code=pipeline.code("multiverse"),
    message:
        "Count which specifications support the claims of {wildcards.multiverse}"
    shell:
        "python -m physprobe multiverse --fits {input.fits} --out {output}"
        " --spec {params.spec:q} --code {params.code} --threads {threads} 2>&1 | tee {log}"
