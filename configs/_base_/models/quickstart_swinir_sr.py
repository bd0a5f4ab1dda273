# SwinIR at about the size of the quickstart's network: 0.24 million
# parameters, against 0.38.
_base_ = './swinir_sr.py'
model = dict(generator=dict(
    img_size=16, depths=[4, 4], embed_dim=48, num_heads=[4, 4],
    upsampler='pixelshuffledirect'))
