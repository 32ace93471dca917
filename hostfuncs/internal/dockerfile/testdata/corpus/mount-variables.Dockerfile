FROM alpine
ARG ID=x
ENV TYPE=cache
RUN --mount=type=$TYPE,target=/c/$ID,id=$ID,sharing=${S:-locked},mode=${MODE:-0755} true
RUN --mount=type=cache,id=$B,target=/c,uid=$A true
RUN --mount=type=bind,source=$X,target=/s/$Y true
