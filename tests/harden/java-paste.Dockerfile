# java-paste: rung 0 -> 4
FROM eclipse-temurin:21 AS build

WORKDIR /opt/paste
COPY src src
RUN mkdir classes && javac -d classes src/com/example/paste/*.java
RUN jar --create --file paste.jar --main-class com.example.paste.Paste -C classes .
RUN chmod -R 755 /opt/paste
RUN mkdir -p /out/opt/paste/data

FROM gcr.io/distroless/java21-debian13:nonroot
WORKDIR /opt/paste
COPY --from=build /opt/paste/paste.jar /opt/paste/paste.jar
COPY --from=build --chown=65532:65532 /out/opt/paste/data /opt/paste/data
EXPOSE 8080
USER 65532:65532
ENTRYPOINT ["/usr/bin/java", "-Xmx64m", "-jar", "paste.jar"]
