"""
Gate: put a trained encoder beside random weights of the same shape; declared in workflow/studies/gate.yaml.

INPUT   results/{system}/fits/{encoder}.{method}.json
OUTPUT  results/gates/{gate}.json   differences, paired by clip; see results/README.md
"""


rule gate:
    input:
        unpack(pipeline.inputs("gate")),
    output:
        "results/gates/{gate}.json",
    log:
        "results/logs/gates/{gate}.log",
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        spec=pipeline.spec("gate"),
        code=pipeline.code("gate"),
    message:
        "Compare {wildcards.gate} with random weights"
    shell:
        "python -m physprobe gate --probes {input.probes} --out {output}"
        " --spec {params.spec:q} --code {params.code} --threads {threads} 2>&1 | tee {log}"
