# IR-SDE that refines the result of bsds/derain_cnn.py, which is trained first.
_base_ = [
    '../_base_/models/quickstart_refining.py',
    '../_base_/datasets/bsds_rain.py',
    '../_base_/schedules/quickstart.py', '../_base_/default_runtime.py'
]
model = dict(initial_checkpoint='work_dirs/bsds/derain_cnn/iter_1600.pth')
