# MAXIM S-3 on GoPro with the schedule of irsde/deblur.py, as MAXIM's own is
# not public. tools/convert_checkpoint.py with this config converts the
# published weights (GoPro).
_base_ = [
    '../_base_/models/maxim.py', '../_base_/datasets/gopro.py',
    '../_base_/schedules/irsde_500k.py', '../_base_/default_runtime.py'
]
model = dict(generator=dict(variant='S-3'))
