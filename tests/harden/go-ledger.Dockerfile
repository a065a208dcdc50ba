# go-ledger: rung 0 -> 1
FROM golang:1.24

RUN apt-get update && apt-get install -y --no-install-recommends libsqlite3-dev sqlite3 && rm -rf /var/lib/apt/lists/*

COPY . $GOPATH/src/ledger
WORKDIR $GOPATH/src/ledger
RUN go build -o /usr/bin/ledger

RUN mkdir /data
VOLUME /data

EXPOSE 9000
RUN groupadd --system --gid 10001 app \
    && useradd --system --no-log-init --uid 10001 --gid 10001 --create-home --home-dir /home/app --shell /usr/sbin/nologin app \
    && mkdir -p /data \
    && chown -R 10001:10001 /data
USER 10001:10001
ENTRYPOINT ["/usr/bin/ledger"]
