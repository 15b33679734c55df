"""
Koopman: model the dynamics of an embedding, and score the model against what knows no dynamics.

INPUT   results/{system}/embeddings/{encoder}.zarr  results/{system}/simulation.zarr
OUTPUT  results/{system}/koopman/{encoder}.{model}.json           skill by horizon, eigenvalues; see results/README.md
        results/{comparison}/koopman/{encoder}.{model}.json       one model of all systems of a comparison together
        results/{study}/{model}.safetensors                       kernels of the spatial head, fitted on every clip
"""


rule koopman:
    input:
        embeddings="results/{system}/embeddings/{encoder}.zarr/zarr.json",
        simulation="results/{system}/simulation.zarr/zarr.json",
    output:
        "results/{system}/koopman/{encoder}.{model}.json",
    log:
        "results/logs/{system}/koopman.{encoder}.{model}.log",
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        spec=pipeline.spec("koopman"),
        code=pipeline.code("koopman"),
    message:
        "Koopman {wildcards.system}: model {wildcards.encoder} by {wildcards.model}"
    shell:
        "python -m physprobe koopman --embeddings {input.embeddings} --simulation {input.simulation}"
        " --out {output} --spec {params.spec:q} --code {params.code} --threads {threads} 2>&1 | tee {log}"


rule koopman_together:
    input:
        unpack(pipeline.compared),
    output:
        "results/{comparison}/koopman/{encoder}.{model}.json",
    log:
        "results/logs/{comparison}/koopman.{encoder}.{model}.log",
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=8000,
        runtime=120,
    params:
        spec=pipeline.spec("koopman"),
        code=pipeline.code("koopman"),
    message:
        "Koopman {wildcards.comparison}: one model of all systems from {wildcards.encoder} by {wildcards.model}"
    shell:
        "python -m physprobe koopman --embeddings {input.embeddings} --simulation {input.simulation}"
        " --out {output} --spec {params.spec:q} --code {params.code} --threads {threads} 2>&1 | tee {log}"


rule head:
    input:
        unpack(pipeline.study_of_head),
    output:
        "results/{study}/{model}.safetensors",
    log:
        "results/logs/{study}/head.{model}.log",
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        spec=pipeline.spec("koopman"),
        code=pipeline.code("koopman"),
    message:
        "Head {wildcards.study}: fit {wildcards.model} on every clip"
    shell:
        "python -m physprobe head --embeddings {input.embeddings} --simulation {input.simulation}"
        " --out {output} --spec {params.spec:q} --code {params.code} --threads {threads} 2>&1 | tee {log}"
