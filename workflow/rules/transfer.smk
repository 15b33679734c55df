"""
Transfer: compare probes that were fitted elsewhere with those of ordinary folds.

INPUT   results/{transfer}/fits/{encoder}.{method}.json  results/{system}/fits/{encoder}.{method}.json
OUTPUT  results/transfers/{transfer}.json  results/transfers/{transfer}.png            beside ordinary folds; see results/README.md
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
        code=pipeline.code("figure", "transfer"),
    message:
        "Draw {wildcards.transfer} beside ordinary folds"
    shell:
        "python -m physprobe figure --kind transfer --result {input.result} --out {output}"
        " --code {params.code} --threads {threads} 2>&1 | tee {log}"
