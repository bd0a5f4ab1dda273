# SwinIR about as large as the network of the quickstart: 0.24 million
# parameters beside its 0.38.
_base_ = './swinir_sr.py'
model = dict(generator=dict(
    img_size=16, depths=[4, 4], embed_dim=48, num_heads=[4, 4],
    upsampler='pixelshuffledirect'))
