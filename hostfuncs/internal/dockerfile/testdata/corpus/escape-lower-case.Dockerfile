# Escape = `
FROM alpine
ENV P C:\Program` Files
