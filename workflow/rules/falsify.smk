"""
Falsify: put every score of a study beside the controls that could refute it, and judge the study's claims.

INPUT   results/{place}/fits/*.json  results/{system}/embeddings/*.zarr  results/{study}/plan.json
OUTPUT  results/{study}/verdicts.json   claims, controls, and what claims rest on; see results/README.md
"""


rule falsify:
    input:
        unpack(pipeline.inputs("falsify")),
    output:
        "results/{study}/verdicts.json",
    log:
        "results/logs/{study}/falsify.log",
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        spec=pipeline.spec("falsify"),
        code=pipeline.code("falsify"),
    message:
        "Falsify {wildcards.study}: compare with controls, judge claims"
    shell:
        "python -m physprobe falsify --fits {input.fits} --embeddings {input.embeddings}"
        " --simulation {input.simulation} --plan {input.plan} --out {output}"
        " --spec {params.spec:q} --code {params.code} --threads {threads} 2>&1 | tee {log}"
