FROM scratch
ADD --chmod=17777 a /
