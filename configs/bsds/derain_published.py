# As derain.py, with the published output, objective and training times.
_base_ = [
    '../_base_/models/quickstart_published.py',
    '../_base_/datasets/bsds_rain.py',
    '../_base_/schedules/quickstart.py', '../_base_/default_runtime.py'
]
