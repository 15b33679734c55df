#!/usr/bin/env bash
# What became of job $1: prints `running`, `success` or `failed`.
set -uo pipefail

state=$(squeue --noheader --states=all --format=%T --jobs="$1" 2>&1)
case $state in
    "" | *"Invalid job id"*)
        # squeue forgets finished jobs after minutes. Without accounting the outputs decide: Snakemake looks for them.
        state=$(sacct --allocations --noheader --parsable2 --format=State --jobs="$1" 2>/dev/null | head -n 1)
        state=${state:-COMPLETED}
        ;;
esac

case $state in
    COMPLETED) echo success ;;
    BOOT_FAIL* | CANCELLED* | DEADLINE* | FAILED* | NODE_FAIL* | OUT_OF_MEMORY* | REVOKED* | TIMEOUT*) echo failed ;;
    # Queued, running, preempted and to be requeued - or the controller did not answer: ask again later.
    *) echo running ;;
esac
