#!/usr/bin/env bash
# Tests on a Slurm cluster, a process a GPU.
set -euo pipefail

if [[ $# -lt 4 ]]; then
    cat >&2 <<END
usage: [GPUS=8] $0 PARTITION JOB_NAME CONFIG CHECKPOINT [OPTION...]
  PARTITION   of the cluster
  JOB_NAME    what squeue shows
  CONFIG      path or name of a config, such as irsde/derain
  CHECKPOINT  weights
  OPTION      of tools/test.py, such as --work-dir DIR
variables: GPUS (8), GPUS_PER_NODE (8, at most GPUS; 0 asks for none and
starts GPUS processes on CPUs), CPUS_PER_TASK (5), SRUN_ARGS (more options
of srun), PYTHON (the interpreter)
END
    exit 2
fi

tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
gpus=${GPUS:-8}
per_node=${GPUS_PER_NODE:-$((gpus < 8 ? gpus : 8))}
read -ra more <<< "${SRUN_ARGS:-}"
if [[ $per_node -gt 0 ]]; then
    more=("--gres=gpu:$per_node" "--ntasks-per-node=$per_node"
          ${more[@]+"${more[@]}"})
fi
export PYTHONPATH="$tools/..${PYTHONPATH:+:$PYTHONPATH}"
exec srun --partition="$1" --job-name="$2" --ntasks="$gpus" \
    --cpus-per-task="${CPUS_PER_TASK:-5}" --kill-on-bad-exit=1 \
    ${more[@]+"${more[@]}"} "${PYTHON:-python}" -u "$tools/test.py" "$3" \
    "$4" --launcher slurm "${@:5}"
