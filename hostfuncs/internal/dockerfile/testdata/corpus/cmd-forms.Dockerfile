FROM alpine
CMD echo "a $b" 'c' `d`
CMD ["a","b"]
ENTRYPOINT exec top -b
CMD
