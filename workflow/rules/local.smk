"""
Local: decode labels from the token under the ball, from one far away, and patch by patch.

INPUT   results/{system}/embeddings/{encoder}.zarr  results/{system}/simulation.zarr
OUTPUT  results/{system}/local/{encoder}.json  results/{system}/local/{encoder}.png   see results/README.md
"""


rule local:
    input:
        embeddings="results/{system}/embeddings/{encoder}.zarr/zarr.json",
        simulation="results/{system}/simulation.zarr/zarr.json",
    output:
        "results/{system}/local/{encoder}.json",
    log:
        "results/logs/{system}/local.{encoder}.log",
    wildcard_constraints:
        system="|".join(pipeline.located) or "none",
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
        "Look where in the image {wildcards.encoder} holds labels of {wildcards.system}"
    shell:
        "python -m physprobe local --embeddings {input.embeddings} --simulation {input.simulation}"
        " --out {output} --spec {params.spec:q} --code {params.code} --threads {threads} 2>&1 | tee {log}"


rule local_figure:
    input:
        result="results/{system}/local/{encoder}.json",
        style=packaged("report/physprobe.mplstyle"),
    output:
        report(
            "results/{system}/local/{encoder}.png",
            caption="../report/local.rst",
            category="{system}",
        ),
    log:
        "results/logs/{system}/local.{encoder}.figure.log",
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        code=pipeline.code("report"),
    message:
        "Draw where in the image {wildcards.encoder} holds labels of {wildcards.system}"
    shell:
        "python -m physprobe figure --kind local --result {input.result} --out {output}"
        " --code {params.code} --threads {threads} 2>&1 | tee {log}"
