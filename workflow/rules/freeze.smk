"""
Freeze: write down a study's claims, and what they will be judged from, as its plan before its first fit; amend it afterwards.

INPUT   nothing but the config
OUTPUT  results/{study}/plan.json   claims, margins, methods, design, controls, data, hashes; see results/README.md
"""


rule freeze:
    output:
        update("results/{study}/plan.json"),  # amended, never overwritten
    log:
        "results/logs/{study}/freeze.log",
    priority: 100  # before any fit
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        fits=pipeline.param("freeze", "fits"),
        spec=pipeline.spec("freeze"),
        code=pipeline.code("freeze"),
    message:
        "Freeze {wildcards.study}: what it claims, before its first fit"
    shell:
        "python -m physprobe freeze --out {output} --fits {params.fits}"
        " --spec {params.spec:q} --code {params.code} 2>&1 | tee {log}"
