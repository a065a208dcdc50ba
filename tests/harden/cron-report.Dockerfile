# cron-report: rung 0 -> 0
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends cron vim curl && rm -rf /var/lib/apt/lists/*
COPY report.crontab /etc/cron.d/report
RUN chmod 0644 /etc/cron.d/report
COPY report.sh start.sh /usr/local/bin/
RUN chmod 777 /usr/local/bin/*.sh
CMD ["/usr/local/bin/start.sh"]
