# go-files: rung 0 -> 4
FROM golang:1.24 AS build
WORKDIR /go/src/app
COPY . .
RUN CGO_ENABLED=0 go build -o server .

FROM gcr.io/distroless/static-debian13:nonroot
WORKDIR /go/src/app
COPY --from=build /go/src/app/server /go/src/app/server
COPY --from=build /go/src/app/check.toml /go/src/app/check.toml
COPY --from=build /go/src/app/site /go/src/app/site
EXPOSE 8080
USER 65532:65532
CMD ["./server"]
