FROM alpine AS base
FROM alpine
RUN --mount=type=bind,target=/ctx --mount=from=base,source=/etc,target=/e,rw true
RUN --mount=type=cache,target=/c,id=x,uid=1000,gid=1000,mode=0755,sharing=private,from=base,source=/s true
RUN --mount=type=tmpfs,target=/t,size=100m true
RUN --mount=type=secret,id=npm,target=/root/.npmrc,required=true,mode=0400,uid=0 true
RUN --mount=type=secret,id=token,env=TOKEN true
RUN --mount=type=secret,source=aws true
RUN --mount=type=ssh,id=default,required git clone git@example.com:a/b
RUN --mount=type=ssh true
RUN --mount=type=bind,dst=/d,readonly --mount=type=bind,destination=/d2,ro=false true
RUN --network=none --security=sandbox true
