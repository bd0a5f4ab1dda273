#!/usr/bin/env bash
# Test with several processes, one per GPU, or on CPUs without GPUs.
set -euo pipefail

if [[ $# -lt 3 || ! $3 =~ ^[1-9][0-9]*$ ]]; then
    cat >&2 <<END
usage: $0 CONFIG CHECKPOINT GPUS [OPTION...]
  CONFIG      path or name of a config, such as irsde/derain
  CHECKPOINT  weights
  GPUS        number of processes on this machine, at least 1
  OPTION      of tools/test.py, such as --work-dir DIR
environment variables: NNODES, NODE_RANK, MASTER_ADDR and PORT (29500) for
several machines; PYTHON (interpreter), OMP_NUM_THREADS (threads per process,
1)
END
    exit 2
fi

. "$(dirname "${BASH_SOURCE[0]}")/launchers.bash"
with_torchrun "$3" "$tools/test.py" "$1" "$2" --launcher pytorch "${@:4}"
