"""
Report: write a study's fits as numbers, text and figure, and all studies as one page.

INPUT   results/{study}/pixel_falsification_metrics.json and what it was made from
OUTPUT  results/{study}/fit_metrics.json  fit_summary.txt  fit_results.png  fit_results.csv
        results/{comparison}/...   the same four files, of systems side by side
        results/report.html   one self-contained page; see results/README.md
        results/{asked}/report.html   the same of one study, comparison, transfer, layerwise entry, ... alone
"""


rule layout:
    input:
        unpack(pipeline.inputs("layout")),
        style=packaged("report/physprobe.mplstyle"),
    output:
        metrics="results/{study}/fit_metrics.json",
        summary="results/{study}/fit_summary.txt",
        figure=report(
            "results/{study}/fit_results.png",
            caption="../report/fit_results.rst",
            category="{study}",
        ),
        table="results/{study}/fit_results.csv",
    log:
        "results/logs/{study}/layout.log",
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        spec=pipeline.spec("layout"),
        code=pipeline.code("layout"),
    message:
        "Report {wildcards.study}: numbers, text and figure"
    shell:
        "python -m physprobe layout --probes {input.probes} --koopman {input.koopman}"
        " --heads {input.heads} --embeddings {input.embeddings}"
        " --falsification {input.falsification}"
        " --simulation {input.simulation} --clips {input.clips}"
        " --metrics {output.metrics} --summary {output.summary} --figure {output.figure} --table {output.table}"
        " --spec {params.spec:q} --code {params.code} --threads {threads} 2>&1 | tee {log}"


rule layout_comparison:
    input:
        unpack(pipeline.inputs("layout_comparison")),
        style=packaged("report/physprobe.mplstyle"),
    output:
        metrics="results/{comparison}/fit_metrics.json",
        summary="results/{comparison}/fit_summary.txt",
        figure=report(
            "results/{comparison}/fit_results.png",
            caption="../report/comparison.rst",
            category="{comparison}",
        ),
        table="results/{comparison}/fit_results.csv",
    log:
        "results/logs/{comparison}/layout.log",
    conda:
        "../../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        spec=pipeline.spec("layout_comparison"),
        code=pipeline.code("layout_comparison"),
    message:
        "Report {wildcards.comparison}: numbers, text and figure"
    shell:
        "python -m physprobe layout_comparison --probes {input.probes} --koopman {input.koopman}"
        " --embeddings {input.embeddings} --falsification {input.falsification}"
        " --simulation {input.simulation} --clips {input.clips}"
        " --metrics {output.metrics} --summary {output.summary} --figure {output.figure} --table {output.table}"
        " --spec {params.spec:q} --code {params.code} --threads {threads} 2>&1 | tee {log}"


rule page:
    input:
        unpack(pipeline.inputs("page")),
        published=packaged("report/published.yaml"),
        style=packaged("report/physprobe.mplstyle"),
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
        "python -m physprobe page --metrics {input.metrics} --tables {input.tables}"
        " --falsifications {input.falsifications} --clips {input.clips}"
        " --comparisons {input.comparisons} --comparison-tables {input.comparison_tables}"
        " --comparison-falsifications {input.comparison_falsifications}"
        " --comparison-clips {input.comparison_clips} --transfers {input.transfers} --layerwise-tables {input.layerwise_tables}"
        " --multiverses {input.multiverses} --places {input.places} --surveys {input.surveys}"
        " --calibrations {input.calibrations}"
        " --gates {input.gates:q} --trainings {input.trainings:q}"
        " --published {input.published:q} --template {input.template:q}"
        " --out {output} --code {params.code} --threads {threads} 2>&1 | tee {log}"


use rule page as page_alone with:
    output:
        report(
            "results/{asked}/report.html",
            caption="../report/page.rst",
            category="{asked}",
        ),
    log:
        "results/logs/{asked}/page.log",
    message:
        "Report: {wildcards.asked} on a page of its own"
