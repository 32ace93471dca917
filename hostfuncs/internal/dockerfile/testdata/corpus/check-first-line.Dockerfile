# check=skip=JSONArgsRecommended;error=true
FROM alpine
RUN echo hi
