"""
Train: fit an encoder to an endless stream of simulated clips, without labels.

INPUT   nothing but the recipe: clips are simulated on the fly, or images read from the folder that it names;
        the encoder that it grows from, if it does;  results/{system}/clips.zarr and simulation.zarr, if it names one
OUTPUT  results/encoders/{recipe}/   config.json  model.safetensors  preprocessor_config.json  training.csv  README.md
"""


rule train:
    input:
        unpack(pipeline.inputs("train")),
    output:
        weights="results/encoders/{recipe}/model.safetensors",
        config="results/encoders/{recipe}/config.json",
        processor="results/encoders/{recipe}/preprocessor_config.json",
        table="results/encoders/{recipe}/training.csv",
        card="results/encoders/{recipe}/README.md",
    log:
        "results/logs/encoders/train.{recipe}.log",
    conda:
        "../../envs/gpu.yaml"
    threads: quarter
    resources:
        gpu=1,
        mem_mb=8000,
        runtime=480,
    params:
        spec=pipeline.spec("train"),
        code=pipeline.code("train"),
        files=pipeline.param("train", "files"),
    message:
        "Train {wildcards.recipe}"
    shell:
        "python -m physprobe train --out {output.weights} --card {input.card:q}"
        " --clips {input.clips} --simulation {input.simulation}"
        " --spec {params.spec:q} --code {params.code} --threads {threads} 2>&1 | tee {log}"
