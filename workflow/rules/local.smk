"""
Local: decode labels from the token under the ball, from one far away, and patch by patch.

INPUT   results/{local}/fits/{encoder}.{method}.json
OUTPUT  results/{local}/local/{encoder}.json  results/{local}/local/{encoder}.png   see results/README.md
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


rule local_figure:
    input:
        result="results/{local}/local/{encoder}.json",
        style=packaged("report/physprobe.mplstyle"),
    output:
        report(
            "results/{local}/local/{encoder}.png",
            caption="../report/local.rst",
            category="{local}",
        ),
    log:
        "results/logs/{local}/local.{encoder}.figure.log",
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        code=pipeline.code("figure", "local"),
    message:
        "Draw where in the image {wildcards.encoder} holds labels of {wildcards.local}"
    shell:
        "python -m physprobe figure --kind local --result {input.result} --out {output}"
        " --code {params.code} --threads {threads} 2>&1 | tee {log}"
