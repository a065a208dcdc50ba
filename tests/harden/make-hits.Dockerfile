# make-hits: rung 0 -> 1
FROM gcc:14
COPY . /usr/src/hits
WORKDIR /usr/src/hits
RUN make && make install
RUN mkdir -p /var/lib/hits && chmod 755 /var/lib/hits && chown 10001 /var/lib/hits
EXPOSE 8090
RUN groupadd --system --gid 10001 app \
    && useradd --system --no-log-init --uid 10001 --gid 10001 --create-home --home-dir /home/app --shell /usr/sbin/nologin app \
    && mkdir -p /var/lib/hits \
    && chown -R 10001:10001 /var/lib/hits
USER 10001:10001
CMD ["hitsd", "8090"]
