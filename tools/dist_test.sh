#!/usr/bin/env bash
# Tests with several processes, a GPU each; on CPUs where there is no GPU.
set -euo pipefail

if [[ $# -lt 3 || ! $3 =~ ^[1-9][0-9]*$ ]]; then
    cat >&2 <<END
usage: $0 CONFIG CHECKPOINT GPUS [OPTION...]
  CONFIG      path or name of a config, such as irsde/derain
  CHECKPOINT  weights
  GPUS        processes on this machine, 1 or more
  OPTION      of tools/test.py, such as --work-dir DIR
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
# the same for any number of processes, and so the same scores
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
exec "${PYTHON:-python}" -m irsde_mm.commands.launch "${where[@]}" \
    --nproc-per-node "$3" "$tools/test.py" "$1" "$2" --launcher pytorch \
    "${@:4}"
