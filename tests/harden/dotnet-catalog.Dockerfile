# dotnet-catalog: rung 0 -> 4
FROM mcr.microsoft.com/dotnet/sdk:8.0 AS build
WORKDIR /src
COPY . .
RUN dotnet restore
RUN dotnet publish -c Release -o /app
WORKDIR /app
ENV ASPNETCORE_URLS=http://+:80
RUN mkdir -p /app/data \
    && chown -R 1654:1654 /app/data

FROM mcr.microsoft.com/dotnet/aspnet:8.0-noble-chiseled-extra
ENV ASPNETCORE_URLS=http://+:80
WORKDIR /app
COPY --from=build /app /app
COPY --from=build --chown=1654:1654 /app/data /app/data
EXPOSE 80
USER 1654:1654
CMD ["dotnet", "Catalog.dll"]
