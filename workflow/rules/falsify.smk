"""
Falsify: put every score of a study beside the controls that could refute it, and judge the study's claims.

INPUT   results/{system}/fits/*.json  results/{system}/embeddings/*.zarr
OUTPUT  results/{study}/pixel_falsification_metrics.json   controls, pixels against embedding, claims
        results/{study}/pixel_falsification_summary.txt    the same for people; see results/README.md
        results/{comparison}/falsification_metrics.json    of systems side by side: controls and claims
"""


rule falsify:
    input:
        unpack(pipeline.inputs("falsify")),
    output:
        metrics="results/{study}/pixel_falsification_metrics.json",
        summary="results/{study}/pixel_falsification_summary.txt",
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
        "python -m physprobe falsify --probes {input.probes} --koopman {input.koopman}"
        " --heads {input.heads} --embeddings {input.embeddings} --simulation {input.simulation}"
        " --metrics {output.metrics} --summary {output.summary}"
        " --spec {params.spec:q} --code {params.code} --threads {threads} 2>&1 | tee {log}"


rule compare:
    input:
        unpack(pipeline.inputs("compare")),
    output:
        "results/{comparison}/falsification_metrics.json",
    log:
        "results/logs/{comparison}/compare.log",
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        spec=pipeline.spec("compare"),
        code=pipeline.code("compare"),
    message:
        "Compare {wildcards.comparison}: equations side by side, judge claims"
    shell:
        "python -m physprobe compare --probes {input.probes} --koopman {input.koopman}"
        " --embeddings {input.embeddings} --simulation {input.simulation} --metrics {output}"
        " --spec {params.spec:q} --code {params.code} --threads {threads} 2>&1 | tee {log}"
