FROM alpine
LABEL name="Ünïcödé ✓"
COPY ä/ö /ü
RUN echo "日本語"
