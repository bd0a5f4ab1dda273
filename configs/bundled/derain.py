# The bundled model for deraining, see docs/models.md.
_base_ = [
    '../_base_/models/quickstart_nafnet.py',
    '../_base_/datasets/bundled_rain.py', '../_base_/schedules/bundled.py',
    '../_base_/default_runtime.py'
]
