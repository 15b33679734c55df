"""
Layout: write a study in a published form, from its fits and verdicts. Every form is a rule of its own.

INPUT   results/{study}/verdicts.json and what it was made from
OUTPUT  results/{study}/fit_metrics.json and its kin; see results/README.md
"""

from physprobe.layouts.commands import forms

for form, studies, files in forms(pipeline.config):

    rule:
        name:
            f"layout_{form}"
        input:
            unpack(pipeline.inputs("layout")),
            style=packaged("drawing/physprobe.mplstyle"),
        output:
            [f"results/{{study}}/{file}" for file in files],
        log:
            f"results/logs/{{study}}/layout_{form}.log",
        wildcard_constraints:
            study=studies,
        conda:
            "../../envs/cpu.yaml"
        threads: 1
        resources:
            mem_mb=4000,
            runtime=20,
        params:
            form=form,
            spec=pipeline.spec("layout"),
            code=pipeline.code("layout", form),
        message:
            "Write {wildcards.study} as {params.form}"
        shell:
            "python -m physprobe layout --kind {params.form} --fits {input.fits}"
            " --embeddings {input.embeddings} --simulation {input.simulation} --clips {input.clips}"
            " --verdicts {input.verdicts} --out {output}"
            " --spec {params.spec:q} --code {params.code} --threads {threads} 2>&1 | tee {log}"
