FROM nginx:1-alpine
RUN rm /etc/nginx/conf.d/default.conf
COPY nginx.conf /etc/nginx/conf.d
COPY --chmod=755 docker-entrypoint.sh /
HEALTHCHECK NONE
