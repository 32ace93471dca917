FROM alpine
COPY ["a b", "c", "/d e/"]
COPY [ "x", "/" ]
COPY [a, b]
CMD [ "a" , "b" ]
ENTRYPOINT []
RUN [ "x", ]
