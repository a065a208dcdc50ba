# python-in-root: rung 0 -> 3
FROM python:3.13 AS build
RUN apt-get update && apt-get install -y sudo vim
RUN useradd --create-home dev && echo "dev ALL=(ALL) NOPASSWD:ALL" > /etc/sudoers.d/dev
WORKDIR /root/app
COPY . .
ENV VIRTUAL_ENV=/opt/venv
ENV PATH=$VIRTUAL_ENV/bin:$PATH
RUN python -m venv $VIRTUAL_ENV
RUN pip install -r requirements.txt

FROM python:3.13-slim
ENV VIRTUAL_ENV=/opt/venv
ENV PATH=$VIRTUAL_ENV/bin:$PATH
WORKDIR /root/app
COPY --from=build /opt/venv /opt/venv
COPY --from=build /root/app /root/app
EXPOSE 8080
RUN groupadd --system --gid 10001 app \
    && useradd --system --no-log-init --uid 10001 --gid 10001 --no-create-home --home-dir /root --shell /usr/sbin/nologin app \
    && chown -R 10001:10001 /root
USER 10001:10001
CMD ["python", "server.py"]
