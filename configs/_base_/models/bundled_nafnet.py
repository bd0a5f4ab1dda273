# As quickstart_nafnet.py, with four levels, so that haze and blur are seen as
# a whole. 2.7 M parameters, at the cost of the 0.4 M of the other.
_base_ = './quickstart_nafnet.py'
model = dict(generator=dict(
    enc_blocks=[1, 1, 2, 4], middle_blocks=3, dec_blocks=[1, 1, 1, 1]))
