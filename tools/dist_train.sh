#!/usr/bin/env bash
# Train with several processes, one per GPU, or on CPUs without GPUs.
set -euo pipefail

if [[ $# -lt 2 || ! $2 =~ ^[1-9][0-9]*$ ]]; then
    cat >&2 <<END
usage: $0 CONFIG GPUS [OPTION...]
  CONFIG  path or name of a config, such as irsde/derain
  GPUS    number of processes on this machine, at least 1
  OPTION  of tools/train.py, such as --work-dir DIR or --resume
environment variables: NNODES, NODE_RANK, MASTER_ADDR and PORT (29500) for
several machines; MAX_RESTARTS (0), how often all processes restart from the
last checkpoint after one is lost; PYTHON (interpreter), OMP_NUM_THREADS
(threads per process, 1)
END
    exit 2
fi

. "$(dirname "${BASH_SOURCE[0]}")/launchers.bash"
with_torchrun "$2" --max-restarts "${MAX_RESTARTS:-0}" \
    "$tools/train.py" "$1" --launcher pytorch "${@:3}"
