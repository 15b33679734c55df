"""
Survey: put the verdicts on laws of all systems from all sources together.

INPUT   results/{system}/fits/{source}.{method}.json      of a law
OUTPUT  results/discovery/metrics.json                    verdicts right, wrong and missing; see results/README.md
"""


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
        "python -m physprobe survey --fits {input.fits} --out {output}"
        " --spec {params.spec:q} --code {params.code} --threads {threads} 2>&1 | tee {log}"
