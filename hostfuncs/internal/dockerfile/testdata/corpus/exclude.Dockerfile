FROM alpine
COPY --exclude=*.txt --exclude=**/x . /dir/
ADD --exclude=$X --unpack=false a.tar /
ADD --unpack b.tar /
