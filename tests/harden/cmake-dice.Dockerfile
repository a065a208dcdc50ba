# cmake-dice: rung 0 -> 1
FROM debian:trixie

RUN apt-get update && apt-get install -y --no-install-recommends build-essential cmake zlib1g-dev git sudo && rm -rf /var/lib/apt/lists/*

COPY . /src
WORKDIR /src
RUN mkdir build && cd build && cmake .. && make && make install

EXPOSE 7000
RUN groupadd --system --gid 10001 app \
    && useradd --system --no-log-init --uid 10001 --gid 10001 --create-home --home-dir /home/app --shell /usr/sbin/nologin app
USER 10001:10001
CMD ["/usr/local/bin/diced"]
