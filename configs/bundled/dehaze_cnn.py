# The regression network that bundled/dehaze starts from. Train
# bundled/dehaze_process first.
_base_ = [
    '../_base_/models/bundled_cnn.py',
    '../_base_/datasets/bundled_haze.py',
    '../_base_/schedules/bundled_first.py', '../_base_/default_runtime.py'
]
model = dict(generator=dict(network=dict(self_ensemble=2)))
load_from = 'work_dirs/bundled/dehaze_process/iter_20000.pth'
