FROM scratch
WORKDIR ${A
