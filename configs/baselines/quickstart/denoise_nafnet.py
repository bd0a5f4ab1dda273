# A small version of mmagic's NAFNet for comparison with quickstart/denoise.py:
# same photos, crops and iterations.
_base_ = [
    '../../_base_/models/quickstart_mm_nafnet.py',
    '../../_base_/datasets/builtin_noise.py',
    '../../_base_/schedules/quickstart_nafnet.py',
    '../../_base_/default_runtime.py'
]
