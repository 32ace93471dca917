FROM composer:2 AS vendor
COPY composer.* ./
RUN composer install --no-dev --ignore-platform-reqs
FROM php:8.4-apache
RUN docker-php-ext-install pdo_mysql \
 && a2enmod rewrite
COPY --chown=www-data:www-data . /var/www/html
COPY --from=vendor /app/vendor/ /var/www/html/vendor/
STOPSIGNAL SIGWINCH
EXPOSE 80 443/tcp 53/udp
