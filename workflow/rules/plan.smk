"""
Plan: freeze a study's claims, and what they will be judged from, before its first fit; amend it afterwards.

INPUT   nothing but the config
OUTPUT  results/{study}/plan.json   claims, margins, methods, design, controls, data, hashes; see results/README.md
"""


rule plan:
    output:
        update("results/{study}/plan.json"),  # amended, never overwritten
    log:
        "results/logs/{study}/plan.log",
    priority: 100  # before any fit
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        fits=pipeline.param("plan", "fits"),
        spec=pipeline.spec("plan"),
        code=pipeline.code("plan"),
    message:
        "Plan {wildcards.study}: freeze its claims"
    shell:
        "python -m physprobe plan --out {output} --fits {params.fits}"
        " --spec {params.spec:q} --code {params.code} 2>&1 | tee {log}"
