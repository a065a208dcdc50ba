# go-ledger: rung 0 -> 3
FROM golang:1.24-bookworm AS build

RUN apt-get update && apt-get install -y libsqlite3-dev sqlite3

COPY . $GOPATH/src/ledger
WORKDIR $GOPATH/src/ledger
RUN go build -o /usr/bin/ledger

RUN mkdir /data

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libsqlite3-0 \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /go/src/ledger
COPY --from=build /usr/bin/ledger /usr/bin/ledger
COPY --from=build /go/src/ledger/check.toml /go/src/ledger/check.toml
COPY --from=build /data /data
RUN groupadd --system --gid 10001 app \
    && useradd --system --no-log-init --uid 10001 --gid 10001 --create-home --home-dir /home/app --shell /usr/sbin/nologin app \
    && mkdir -p /data \
    && chown -R 10001:10001 /data
VOLUME /data
EXPOSE 9000
USER 10001:10001
ENTRYPOINT ["/usr/bin/ledger"]
