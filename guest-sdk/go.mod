module github.com/stagecraft-dev/stagecraft/guest-sdk

go 1.26.8
