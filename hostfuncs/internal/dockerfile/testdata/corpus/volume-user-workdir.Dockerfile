FROM alpine
VOLUME ["/data", "/x"]
VOLUME /a /b $A
USER $A:$B
USER "app"
WORKDIR a
WORKDIR ../b
WORKDIR "/c d"
WORKDIR $X
