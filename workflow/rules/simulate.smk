"""
Simulate: solve a system's equation for every clip; a clip that breaks its laws fails the run.

INPUT   config: systems.{system}.simulate, and the files that it names
OUTPUT  results/{system}/simulation.zarr   field (clip, time, y, x) and labels (clip); see results/README.md
        results/{system}/resolution.json   of a fluid in `resolutions`: by how much it changes in shorter steps, and on finer grids
"""


rule simulate:
    output:
        "results/{system}/simulation.zarr/zarr.json",
    log:
        "results/logs/{system}/simulate.log",
    conda:
        "../../envs/cpu.yaml"
    threads: 2
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        spec=pipeline.spec("simulate"),
        code=pipeline.code("simulate"),
        files=pipeline.param("simulate", "files"),
    message:
        "Simulate {wildcards.system}: solve its equation for every clip"
    shell:
        "python -m physprobe simulate --out {output}"
        " --spec {params.spec:q} --code {params.code} --threads {threads} 2>&1 | tee {log}"


rule refine:
    output:
        "results/{system}/resolution.json",
    log:
        "results/logs/{system}/refine.log",
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        spec=pipeline.spec("refine"),
        code=pipeline.code("refine"),
    message:
        "Refine {wildcards.system}: solve some of it in shorter steps, and on finer grids"
    shell:
        "python -m physprobe refine --out {output}"
        " --spec {params.spec:q} --code {params.code} --threads {threads} 2>&1 | tee {log}"
