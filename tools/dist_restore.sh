#!/usr/bin/env bash
# Restore with several processes, one per GPU, or on CPUs without GPUs.
set -euo pipefail

if [[ $# -lt 3 || ! $3 =~ ^[1-9][0-9]*$ ]]; then
    cat >&2 <<END
usage: $0 SOURCE TARGET GPUS [OPTION...]
  SOURCE  folder, address such as s3://BUCKET/FOLDER, or tar shards such as
          'photos-{000..099}.tar'
  TARGET  folder or address of the results
  GPUS    number of processes on this machine, at least 1
  OPTION  of tools/restore.py, such as --model DIR
environment variables: NNODES, NODE_RANK, MASTER_ADDR and PORT (29500) for
several machines; MAX_RESTARTS (0), how often all processes restart and go on
after one is lost; PYTHON (interpreter), OMP_NUM_THREADS (threads per process,
1)
END
    exit 2
fi

. "$(dirname "${BASH_SOURCE[0]}")/launchers.bash"
with_torchrun "$3" --max-restarts "${MAX_RESTARTS:-0}" \
    "$tools/restore.py" "$1" --out "$2" --engine torchrun "${@:4}"
