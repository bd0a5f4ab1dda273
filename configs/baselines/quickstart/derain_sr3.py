# SR3 for comparison with quickstart/derain.py: same photos, crops, network and
# iterations.
_base_ = [
    '../../_base_/models/quickstart_sr3.py',
    '../../_base_/datasets/builtin_rain.py',
    '../../_base_/schedules/quickstart.py', '../../_base_/default_runtime.py'
]
