FROM alpine
ADD https://github.com/moby/buildkit.git#v0.14.1:docs /docs
ADD --keep-git-dir=true git@github.com:a/b.git#main /b
ADD git://example.com/x /x
ADD https://github.com/a/b.git?tag=v1&checksum=1234567 /q
