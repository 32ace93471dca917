FROM alpine AS base
# check=skip=JSONArgsRecommended
ONBUILD CMD echo hi
# check=skip=all
FROM base
# check=skip=all
RUN true
