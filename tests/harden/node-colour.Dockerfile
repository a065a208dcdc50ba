# node-colour: rung 0 -> 4
FROM node:22 AS build
USER root
RUN apt-get update && apt-get install -y python3 make g++
ENV PORT=443
COPY . /opt/colour
RUN cd /opt/colour && npm install --unsafe-perm
WORKDIR /opt/colour

FROM gcr.io/distroless/nodejs22-debian13:nonroot
ENV PORT=443
WORKDIR /opt/colour
COPY --from=build /opt/colour /opt/colour
EXPOSE 443
USER 65532:65532
ENTRYPOINT ["/nodejs/bin/node"]
CMD ["index.js"]
