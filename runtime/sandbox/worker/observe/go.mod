module github.com/dylibso/observe-sdk/go

go 1.26.8

require github.com/tetratelabs/wazero v1.12.0
