#!/usr/bin/env bash
# Test on a Slurm cluster, one process per GPU.
set -euo pipefail

if [[ $# -lt 4 ]]; then
    cat >&2 <<END
usage: [GPUS=8] $0 PARTITION JOB_NAME CONFIG CHECKPOINT [OPTION...]
  PARTITION   of the cluster
  JOB_NAME    name shown by squeue
  CONFIG      path or name of a config, such as irsde/derain
  CHECKPOINT  weights
  OPTION      of tools/test.py, such as --work-dir DIR
environment variables: GPUS (8), GPUS_PER_NODE (8, at most GPUS; 0 requests no
GPU and starts GPUS processes on CPUs), CPUS_PER_TASK (5), SRUN_ARGS (further
options of srun), PYTHON (interpreter)
END
    exit 2
fi

. "$(dirname "${BASH_SOURCE[0]}")/launchers.bash"
with_srun "$1" "$2" "$tools/test.py" "$3" "$4" --launcher slurm "${@:5}"
