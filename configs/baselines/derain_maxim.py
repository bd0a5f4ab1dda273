# MAXIM S-2 on Rain100H, with the schedule of irsde/derain.py: its own is not
# public. The published weights (Rain13k) go through
# tools/convert_checkpoint.py with this config.
_base_ = [
    '../_base_/models/maxim.py', '../_base_/datasets/rain100h.py',
    '../_base_/schedules/irsde_500k.py', '../_base_/default_runtime.py'
]
