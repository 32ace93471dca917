FROM scratch
ADD rootfs.tar.xz /
ADD ["a b.tar", "/x y/"]
CMD ["bash"]
