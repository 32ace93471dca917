

# a

  # b
FROM alpine

# c
   RUN true
# d