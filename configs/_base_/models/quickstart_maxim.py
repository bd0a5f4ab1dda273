# MAXIM at about the size of the quickstart's network: one stage and 0.24
# million parameters, against 0.38.
_base_ = './maxim.py'
model = dict(generator=dict(variant=dict(
    _delete_=True, num_stages=1, width=8, num_groups=1, num_bottlenecks=1,
    sides=(8, 4))))
