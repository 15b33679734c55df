"""
Calibrate: how often the tests reject noise, and the intervals hold a planted truth; `make calibrate`.

INPUT   nothing
OUTPUT  results/calibration.json   rates with intervals; see results/README.md
"""


rule calibrate:
    output:
        "results/calibration.json",
    log:
        "results/logs/calibrate.log",
    conda:
        "../../envs/cpu.yaml"
    threads: 2
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        spec=pipeline.spec("calibrate"),
        code=pipeline.code("calibrate"),
    message:
        "Calibrate: tests on noise, intervals on planted truth"
    shell:
        "python -m physprobe calibrate --out {output}"
        " --spec {params.spec:q} --code {params.code} --threads {threads} 2>&1 | tee {log}"
