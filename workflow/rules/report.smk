"""
Report: verdicts, figures and layouts of everything that was asked for, as one page.

INPUT   results/{study}/verdicts.json  results/{study}/{figure}.png  .svg  results/{study}/fit_metrics.json
OUTPUT  results/report.html           one self-contained page; see results/README.md
        results/{study}/report.html   the same of one study alone
"""


rule page:
    input:
        unpack(pipeline.inputs("page")),
        published=packaged("report/published.yaml"),
        template=packaged("report/page.html.j2"),
    output:
        report(
            "results/report.html",
            caption="../report/page.rst",
            category="all studies",
        ),
    log:
        "results/logs/page.log",
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        code=pipeline.code("page"),
    message:
        "Report: everything that was asked for on one page"
    shell:
        "python -m physprobe page --verdicts {input.verdicts} --figures {input.figures}"
        " --layouts {input.layouts}"
        " --published {input.published:q} --template {input.template:q}"
        " --out {output} --code {params.code} --threads {threads} 2>&1 | tee {log}"


use rule page as page_alone with:
    output:
        report(
            "results/{study}/report.html",
            caption="../report/page.rst",
            category="{study}",
        ),
    log:
        "results/logs/{study}/page.log",
    message:
        "Report: {wildcards.study} on a page of its own"
