# quickstart_nafnet.py with consistency training, for one or two calls.
_base_ = './quickstart_nafnet.py'
model = dict(
    pixel_loss=dict(
        _delete_=True, type='irsde_mm.ConsistencyLoss', start_steps=8,
        end_steps=16,
        distance=dict(
            type='irsde_mm.SumLoss', losses=[
                dict(type='mmagic.L1Loss'),
                dict(type='irsde_mm.PerceptualLoss', loss_weight=0.05)])),
    sampler=dict(num_steps=2, eta=1.))
