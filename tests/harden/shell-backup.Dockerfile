# shell-backup: rung 0 -> 3
FROM debian:bookworm-slim
ENV DEBIAN_FRONTEND noninteractive
RUN apt-get update && apt-get -y upgrade && rm -rf /var/lib/apt/lists/*
RUN apt-get update && apt-get install -y --no-install-recommends jq wget netcat-openbsd && rm -rf /var/lib/apt/lists/*
COPY content /srv/content
COPY entrypoint.sh backup.sh /
RUN chmod +x /entrypoint.sh /backup.sh && mkdir /backups
RUN groupadd --system --gid 10001 app \
    && useradd --system --no-log-init --uid 10001 --gid 10001 --create-home --home-dir /home/app --shell /usr/sbin/nologin app \
    && mkdir -p /backups \
    && chown -R 10001:10001 /backups
USER 10001:10001
ENTRYPOINT ["/entrypoint.sh"]
CMD ["/backup.sh"]
