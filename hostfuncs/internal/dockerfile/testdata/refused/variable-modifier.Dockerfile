FROM scratch
LABEL a=${B:^x}
