#!/usr/bin/env bash
# Restore on a Slurm cluster, one process per GPU.
set -euo pipefail

if [[ $# -lt 4 ]]; then
    cat >&2 <<END
usage: [GPUS=8] $0 PARTITION JOB_NAME SOURCE TARGET [OPTION...]
  PARTITION  of the cluster
  JOB_NAME   name shown by squeue
  SOURCE     folder, address such as s3://BUCKET/FOLDER, or tar shards such as
             'photos-{000..099}.tar'
  TARGET     folder or address of the results
  OPTION     of tools/restore.py, such as --model DIR
environment variables: GPUS (8), GPUS_PER_NODE (8, at most GPUS; 0 requests no
GPU and starts GPUS processes on CPUs), CPUS_PER_TASK (5), SRUN_ARGS (further
options of srun), PYTHON (interpreter)
END
    exit 2
fi

. "$(dirname "${BASH_SOURCE[0]}")/launchers.bash"
with_srun "$1" "$2" "$tools/restore.py" "$3" --out "$4" --engine torchrun \
    "${@:5}"
