module github.com/stagecraft-dev/stagecraft/guest-sdk

go 1.26.8

require github.com/extism/go-pdk v1.1.3
