# php-album: rung 0 -> 2
FROM php:8.2-fpm-bookworm AS build
RUN apt-get update && apt-get install -y libpng-dev libzip-dev git unzip
RUN docker-php-ext-install gd zip && docker-php-ext-enable opcache
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
COPY --from=composer:2 /usr/bin/composer /usr/local/bin/composer
WORKDIR /var/www/html
COPY . .
RUN composer install --no-dev
RUN chown -R www-data:www-data storage

FROM php:8.2-fpm-bookworm
RUN apt-get update \
    && apt-get install -y --no-install-recommends libpng16-16 libzip4 \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /var/www/html
COPY --from=build /usr/local/lib/php/extensions /usr/local/lib/php/extensions
COPY --from=build /usr/local/etc/php/conf.d /usr/local/etc/php/conf.d
COPY --from=build /var/www/html /var/www/html
USER 33:33
