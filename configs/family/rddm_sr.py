# RDDM on the data of quickstart/sr.py, with the same network
# and number of iterations.
_base_ = [
    '../_base_/models/family_rddm.py',
    '../_base_/datasets/builtin_low_resolution.py',
    '../_base_/schedules/quickstart_4k.py', '../_base_/default_runtime.py'
]
