# MAXIM S-2 on Rain100H with the schedule of irsde/derain.py, as MAXIM's own is
# not public. tools/convert_checkpoint.py with this config converts the
# published weights (Rain13k).
_base_ = [
    '../_base_/models/maxim.py', '../_base_/datasets/rain100h.py',
    '../_base_/schedules/irsde_500k.py', '../_base_/default_runtime.py'
]
