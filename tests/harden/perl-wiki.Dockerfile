# perl-wiki: rung 0 -> 2
FROM perl:5.40
RUN apt-get update && apt-get install -y --no-install-recommends libjson-perl && rm -rf /var/lib/apt/lists/*
COPY . /usr/src/wiki
WORKDIR /usr/src/wiki
RUN chmod -R 755 . && chown -R 10001 .
EXPOSE 8088
RUN groupadd --system --gid 10001 app \
    && useradd --system --no-log-init --uid 10001 --gid 10001 --create-home --home-dir /home/app --shell /usr/sbin/nologin app
USER 10001:10001
CMD ["perl", "wiki.pl"]
