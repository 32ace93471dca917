FROM scratch
COPY --chmod=rwx-everything a /
