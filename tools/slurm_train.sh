#!/usr/bin/env bash
# Train on a Slurm cluster, one process per GPU.
set -euo pipefail

if [[ $# -lt 4 ]]; then
    cat >&2 <<END
usage: [GPUS=8] $0 PARTITION JOB_NAME CONFIG WORK_DIR [OPTION...]
  PARTITION  of the cluster
  JOB_NAME   name shown by squeue
  CONFIG     path or name of a config, such as irsde/derain
  WORK_DIR   folder of logs and checkpoints
  OPTION     of tools/train.py, such as --resume
environment variables: GPUS (8), GPUS_PER_NODE (8, at most GPUS; 0 requests no
GPU and starts GPUS processes on CPUs), CPUS_PER_TASK (5), SRUN_ARGS (further
options of srun), PYTHON (interpreter)
END
    exit 2
fi

. "$(dirname "${BASH_SOURCE[0]}")/launchers.bash"
with_srun "$1" "$2" "$tools/train.py" "$3" --work-dir "$4" \
    --launcher slurm "${@:5}"
