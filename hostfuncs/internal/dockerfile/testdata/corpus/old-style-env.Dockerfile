FROM alpine
ENV a b c  d
ENV PATH /x:$PATH
LABEL a "b c"
LABEL "com.example.x"="y" z=\
1
