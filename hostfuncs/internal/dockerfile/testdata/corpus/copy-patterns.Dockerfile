FROM alpine
COPY a* b?.txt [c-d] arr[[]0].txt /x/
COPY ./ ../outside /y/
COPY . .
COPY / /z
