# RDDM on the data of quickstart/derain.py, with the same network
# and number of iterations.
_base_ = [
    '../_base_/models/family_rddm.py',
    '../_base_/datasets/builtin_rain.py',
    '../_base_/schedules/quickstart.py', '../_base_/default_runtime.py'
]
