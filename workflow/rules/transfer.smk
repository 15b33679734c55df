"""
Transfer: fit a probe in one rendering or range of labels, and score it in another.

INPUT   results/{system}/embeddings/{encoder}.zarr  results/{system}/simulation.zarr   of the system, and of onto
OUTPUT  results/transfers/{transfer}/{encoder}.{probe}.json                            rows and held-out predictions
        results/transfers/{transfer}.json  results/transfers/{transfer}.png            beside ordinary folds; see results/README.md
"""


rule transfer_probe:
    input:
        unpack(pipeline.moved),
    output:
        "results/transfers/{transfer}/{encoder}.{probe}.json",
    log:
        "results/logs/transfers/{transfer}/{encoder}.{probe}.log",
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        spec=pipeline.spec("probe"),
        region=pipeline.region,
        code=pipeline.code("probe"),
    message:
        "Transfer {wildcards.transfer}: decode labels from {wildcards.encoder} by {wildcards.probe}"
    shell:
        "python -m physprobe transfer_probe --embeddings {input.embeddings}"
        " --simulation {input.simulation} --out {output} --region {params.region:q}"
        " --spec {params.spec:q} --code {params.code} --threads {threads} 2>&1 | tee {log}"


rule transfer:
    input:
        unpack(pipeline.transferred),
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


rule transfer_figure:
    input:
        result="results/transfers/{transfer}.json",
        style=packaged("report/physprobe.mplstyle"),
    output:
        report(
            "results/transfers/{transfer}.png",
            caption="../report/transfer.rst",
            category="transfers",
        ),
    log:
        "results/logs/transfers/{transfer}.figure.log",
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        code=pipeline.code("report"),
    message:
        "Draw {wildcards.transfer} beside ordinary folds"
    shell:
        "python -m physprobe figure --kind transfer --result {input.result} --out {output}"
        " --code {params.code} --threads {threads} 2>&1 | tee {log}"
