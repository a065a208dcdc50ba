# conda-train: rung 0 -> 1
FROM nvidia/cuda:12.4.1-devel-ubuntu22.04 AS build
RUN apt-get update && apt-get install -y wget git ffmpeg libsm6
RUN wget https://repo.anaconda.com/miniconda/Miniconda3-latest-Linux-x86_64.sh -O /tmp/conda.miniconda.sh && bash /tmp/conda.miniconda.sh -b -p /opt/conda
ENV PATH=/opt/conda/bin:$PATH
WORKDIR /work
COPY . .
RUN pip install torch
RUN chmod -R 755 /work

FROM nvidia/cuda:12.4.1-runtime-ubuntu22.04
ENV PATH=/opt/conda/bin:$PATH
RUN apt-get update \
    && apt-get install -y --no-install-recommends ffmpeg libsm6 \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /work
COPY --from=build /opt/conda /opt/conda
COPY --from=build /work /work
RUN groupadd --system --gid 10001 app \
    && useradd --system --no-log-init --uid 10001 --gid 10001 --create-home --home-dir /home/app --shell /usr/sbin/nologin app \
    && mkdir -p /work/out \
    && chown -R 10001:10001 /work/out
USER 10001:10001
CMD ["python", "train.py"]
