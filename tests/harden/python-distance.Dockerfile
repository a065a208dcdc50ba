# python-distance: rung 0 -> 3
FROM python:3.13-slim AS build

RUN apt-get update && apt-get install -y build-essential python3-dev git

WORKDIR /opt/distance
COPY . .
ENV VIRTUAL_ENV=/opt/venv
ENV PATH=$VIRTUAL_ENV/bin:$PATH
RUN python -m venv $VIRTUAL_ENV
RUN pip install .

FROM python:3.13-slim
ENV VIRTUAL_ENV=/opt/venv
ENV PATH=$VIRTUAL_ENV/bin:$PATH
WORKDIR /opt/distance
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/distance /opt/distance
EXPOSE 9090
RUN groupadd --system --gid 10001 app \
    && useradd --system --no-log-init --uid 10001 --gid 10001 --create-home --home-dir /home/app --shell /usr/sbin/nologin app
USER 10001:10001
ENTRYPOINT ["python", "-m", "distance"]
