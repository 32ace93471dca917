FROM alpine
RUN <<EOF
FROM evil
COPY --from=evil a b
# check=skip=all
EOF
CMD ["x"]
