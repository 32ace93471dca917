FROM alpine
ADD --keep-git-dir=false https://github.com/a/b.git?keep-git-dir=true /
