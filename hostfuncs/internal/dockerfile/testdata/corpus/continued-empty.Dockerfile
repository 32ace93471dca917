FROM alpine
RUN a && \

  b && \
   
  c
LABEL a=b \


  c=d
