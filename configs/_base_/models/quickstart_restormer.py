# mmagic's Restormer about as large as the network of the quickstart: 0.40
# million parameters beside its 0.38.
_base_ = './restormer.py'
model = dict(generator=dict(
    dim=8, num_blocks=[1, 1, 2, 4], num_refinement_blocks=1))
