FROM eclipse-temurin:21 AS b
WORKDIR /w
ARG JAR=target/*.jar
COPY $JAR app.jar
RUN java -Djarmode=layertools -jar app.jar extract
FROM eclipse-temurin:21
VOLUME /tmp
COPY --from=b /w/dependencies/ ./
HEALTHCHECK --interval=30s --timeout=3s --start-period=5s --start-interval=1s --retries=3 CMD curl -f http://localhost/ || exit 1
