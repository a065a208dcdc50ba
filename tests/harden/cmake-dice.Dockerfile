# cmake-dice: rung 0 -> 3
FROM debian:trixie AS build

RUN apt-get update && apt-get install -y build-essential cmake zlib1g-dev git sudo

COPY . /src
WORKDIR /src
RUN mkdir build && cd build && cmake .. && make && make install

FROM debian:trixie-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends zlib1g \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY --from=build /usr/local/bin/diced /usr/local/bin/diced
COPY --from=build /src/check.toml /src/check.toml
COPY --from=build /usr/local/etc/dice.conf /usr/local/etc/dice.conf
EXPOSE 7000
RUN groupadd --system --gid 10001 app \
    && useradd --system --no-log-init --uid 10001 --gid 10001 --create-home --home-dir /home/app --shell /usr/sbin/nologin app
USER 10001:10001
CMD ["/usr/local/bin/diced"]
