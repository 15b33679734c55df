"""
Render: turn a simulated field into video, and film the first clips for people.

INPUT   results/{system}/simulation.zarr
OUTPUT  results/{system}/clips.zarr    video (clip, time, y, x, rgb); see results/README.md
        results/{system}/preview.mp4   the first clips side by side
"""


rule render:
    input:
        simulation="results/{system}/simulation.zarr/zarr.json",
    output:
        "results/{system}/clips.zarr/zarr.json",
    log:
        "results/logs/{system}/render.log",
    conda:
        "../../envs/cpu.yaml"
    threads: 2
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        spec=pipeline.spec("render"),
        code=pipeline.code("render"),
    message:
        "Render {wildcards.system}: film every clip"
    shell:
        "python -m physprobe render --simulation {input.simulation} --out {output}"
        " --spec {params.spec:q} --code {params.code} --threads {threads} 2>&1 | tee {log}"


rule preview:
    input:
        clips="results/{system}/clips.zarr/zarr.json",
    output:
        report(
            "results/{system}/preview.mp4",
            caption="../report/preview.rst",
            category="{system}",
        ),
    log:
        "results/logs/{system}/preview.log",
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        code=pipeline.code("preview"),
    message:
        "Preview {wildcards.system}: the first clips side by side"
    shell:
        "python -m physprobe preview --clips {input.clips} --out {output}"
        " --threads {threads} 2>&1 | tee {log}"
