# IR-SDE that refines the result of bsds/sr_cnn.py, which is trained first.
_base_ = [
    '../_base_/models/quickstart_refining.py',
    '../_base_/datasets/bsds_low_resolution.py',
    '../_base_/schedules/quickstart.py', '../_base_/default_runtime.py'
]
model = dict(initial_checkpoint='work_dirs/bsds/sr_cnn/iter_1600.pth')
