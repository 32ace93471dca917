module example.com/my-provider

go 1.26.8

require github.com/stagecraft-dev/stagecraft/guest-sdk v0.1.0

