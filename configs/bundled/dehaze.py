# The bundled model for dehazing, see docs/models.md.
_base_ = '../bsds/dehaze.py'
