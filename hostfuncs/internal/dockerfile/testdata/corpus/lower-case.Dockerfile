from alpine as build
arg a=1
run echo $a
copy . .
from scratch
copy --from=build / /
entrypoint ["/x"]
cmd []
