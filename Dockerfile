# docker build -t irsde_mm .                      # PyTorch with CUDA
# docker build -t irsde_mm --build-arg TORCH=cpu .  # without, 5 GB smaller
# docker run --gpus all -v "$PWD:/work" irsde_mm \
#     restore photo.jpg --task derain --out restored
ARG BASE=python:3.12-slim
FROM ${BASE}
ARG TORCH=cuda
# libGL and glib are what opencv-python loads
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgl1 libglib2.0-0 \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY requirements.txt ./
# PyPI's torch brings the CUDA libraries; PyTorch's own index has one without
RUN if [ "$TORCH" = cpu ]; then \
        grep -Ev '^(torch|torchvision|triton|nvidia-|cuda-)' requirements.txt \
            > rest.txt \
        && pip install --no-cache-dir --no-deps -r rest.txt \
        && pip install --no-cache-dir --no-deps \
            --index-url https://download.pytorch.org/whl/cpu \
            $(grep -oE '^(torch|torchvision)==[0-9.]+' requirements.txt); \
    else pip install --no-cache-dir --no-deps -r requirements.txt; fi
COPY . .
RUN pip install --no-cache-dir --no-deps .
WORKDIR /work
ENTRYPOINT ["irsde"]
