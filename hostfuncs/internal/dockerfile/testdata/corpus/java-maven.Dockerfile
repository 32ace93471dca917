FROM maven:3-eclipse-temurin-21 AS build
COPY pom.xml /app/
RUN mvn -f /app/pom.xml dependency:go-offline
COPY src /app/src
RUN mvn -f /app/pom.xml package
FROM eclipse-temurin:21-jre
ARG JAR_FILE=/app/target/*.jar
COPY --from=build ${JAR_FILE} app.jar
ENTRYPOINT ["java","-jar","/app.jar"]
