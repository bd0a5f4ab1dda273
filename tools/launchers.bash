# Functions of dist_*.sh and slurm_*.sh, which source this file.
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export PYTHONPATH="$tools/..${PYTHONPATH:+:$PYTHONPATH}"

# with_torchrun PROCESSES [OPTION_OF_TORCHRUN...] SCRIPT [ARGUMENT...]
with_torchrun() {
    local rendezvous=(--standalone)  # picks a free port
    if [[ ${NNODES:-1} -gt 1 ]]; then
        rendezvous=(
            --nnodes "$NNODES"
            --node-rank "${NODE_RANK:?set it to the number of this machine}"
            --master-addr "${MASTER_ADDR:?set it to the address of machine 0}"
            --master-port "${PORT:-29500}")
    fi
    # independent of the number of processes, and so are the scores
    export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
    exec "${PYTHON:-python}" -m irsde_mm.commands.launch "${rendezvous[@]}" \
        --nproc-per-node "$@"
}

# with_srun PARTITION JOB_NAME SCRIPT [ARGUMENT...]
with_srun() {
    local gpus=${GPUS:-8}
    local per_node=${GPUS_PER_NODE:-$((gpus < 8 ? gpus : 8))}
    local more
    read -ra more <<< "${SRUN_ARGS:-}"
    if [[ $per_node -gt 0 ]]; then
        more=("--gres=gpu:$per_node" "--ntasks-per-node=$per_node"
              ${more[@]+"${more[@]}"})
    fi
    exec srun --partition="$1" --job-name="$2" --ntasks="$gpus" \
        --cpus-per-task="${CPUS_PER_TASK:-5}" --kill-on-bad-exit=1 \
        ${more[@]+"${more[@]}"} "${PYTHON:-python}" -u "${@:3}"
}
