FROM	alpine	AS	x
	RUN	true
FROM	alpine
COPY	--from=x	a	b
