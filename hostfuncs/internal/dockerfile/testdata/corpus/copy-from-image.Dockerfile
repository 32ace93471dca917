FROM scratch
COPY --from=nginx:1 /etc/nginx/nginx.conf /
COPY --from=registry.example.com:5000/a/b@sha256:2222222222222222222222222222222222222222222222222222222222222222 / /
