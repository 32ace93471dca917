FROM alpine
COPY --link a /b/
ADD --link --chown=1000:1000 --chmod=u=rwX,go=rX c /d/
COPY --link --chown=root e /
