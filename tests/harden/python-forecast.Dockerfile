# python-forecast: rung 0 -> 4
FROM python:3.13 AS build

# The key of the model, as CI has it
ARG MODEL_KEY

WORKDIR /srv/forecast
COPY . .
RUN openssl enc -d -aes-256-cbc -pbkdf2 -in model.enc -out model.json -pass pass:$MODEL_KEY && rm model.enc

FROM gcr.io/distroless/python3-debian13:nonroot
WORKDIR /srv/forecast
COPY --from=build /srv/forecast /srv/forecast
EXPOSE 8081
USER 65532:65532
ENTRYPOINT ["/usr/bin/python3"]
CMD ["forecast.py"]
