# mmagic's Restormer at about the size of the quickstart's network: 0.40
# million parameters, against 0.38.
_base_ = './restormer.py'
model = dict(generator=dict(
    dim=8, num_blocks=[1, 1, 2, 4], num_refinement_blocks=1))
