# MAXIM S-3 on GoPro, with the schedule of irsde/deblur.py: its own is not
# public. The published weights (GoPro) go through
# tools/convert_checkpoint.py with this config.
_base_ = [
    '../_base_/models/maxim.py', '../_base_/datasets/gopro.py',
    '../_base_/schedules/irsde_500k.py', '../_base_/default_runtime.py'
]
model = dict(generator=dict(variant='S-3'))
