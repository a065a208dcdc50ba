# flask-notes: rung 0 -> 4
FROM python:3.13 AS build

RUN apt-get update && apt-get install -y vim curl sqlite3

COPY . /app
WORKDIR /app
ENV VIRTUAL_ENV=/opt/venv
ENV PATH=$VIRTUAL_ENV/bin:$PATH
RUN python -m venv $VIRTUAL_ENV
RUN pip install -r requirements.txt
RUN chmod -R 755 /app
RUN mkdir -p /app/uploads \
    && chown -R 65532:65532 /app/uploads

FROM gcr.io/distroless/python3-debian13:nonroot
MAINTAINER notes@example.com
ENV PYTHONPATH=/opt/venv/lib/python3.13/site-packages
WORKDIR /app
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
COPY --from=build --chown=65532:65532 /app/uploads /app/uploads
EXPOSE 5000
USER 65532:65532
ENTRYPOINT ["/usr/bin/python3"]
CMD ["app.py"]
