#!/usr/bin/env bash
# Trains with several processes, a GPU each; on CPUs where there is no GPU.
set -euo pipefail

if [[ $# -lt 2 || ! $2 =~ ^[1-9][0-9]*$ ]]; then
    cat >&2 <<END
usage: $0 CONFIG GPUS [OPTION...]
  CONFIG  path or name of a config, such as irsde/derain
  GPUS    processes on this machine, 1 or more
  OPTION  of tools/train.py, such as --work-dir DIR or --resume
a worker that is lost: MAX_RESTARTS (0) times all start again from the last
checkpoint
several machines: NNODES, NODE_RANK, MASTER_ADDR and PORT (29500) say which
this is; PYTHON names another interpreter, OMP_NUM_THREADS the threads of a
process (1)
END
    exit 2
fi

tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
where=(--standalone)  # chooses a free port
if [[ ${NNODES:-1} -gt 1 ]]; then
    where=(--nnodes "$NNODES" --node-rank "${NODE_RANK:?which machine is it?}"
           --master-addr "${MASTER_ADDR:?address of machine 0}"
           --master-port "${PORT:-29500}")
fi
export PYTHONPATH="$tools/..${PYTHONPATH:+:$PYTHONPATH}"
# the same for any number of processes
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
exec "${PYTHON:-python}" -m irsde_mm.commands.launch "${where[@]}" \
    --max-restarts "${MAX_RESTARTS:-0}" \
    --nproc-per-node "$2" "$tools/train.py" "$1" --launcher pytorch "${@:3}"
