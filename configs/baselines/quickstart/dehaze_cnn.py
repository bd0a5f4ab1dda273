# The CNN baseline for comparison with quickstart/dehaze.py: same photos, crops
# and iterations.
_base_ = [
    '../../_base_/models/quickstart_cnn.py',
    '../../_base_/datasets/builtin_haze.py',
    '../../_base_/schedules/quickstart.py', '../../_base_/default_runtime.py'
]
