# haskell-web: rung 0 -> 3
FROM haskell:9.4 AS build
WORKDIR /opt/app
COPY . .
RUN stack build --copy-bins

FROM debian:trixie-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgmp10 libnuma1 \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/app
COPY --from=build /root/.local/bin/webapp /usr/local/bin/webapp
EXPOSE 3000
RUN groupadd --system --gid 10001 app \
    && useradd --system --no-log-init --uid 10001 --gid 10001 --create-home --home-dir /home/app --shell /usr/sbin/nologin app
USER 10001:10001
CMD ["/usr/local/bin/webapp"]
