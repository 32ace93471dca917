FROM alpine
ADD --checksum=sha256:0000000000000000000000000000000000000000000000000000000000000000 https://example.com/a.tgz /
ADD --checksum=0123456789012345678901234567890123456789 https://github.com/a/b.git#v1 /g
ADD https://example.com/ /dir/
ADD --unpack=true https://example.com/b.tgz /b
