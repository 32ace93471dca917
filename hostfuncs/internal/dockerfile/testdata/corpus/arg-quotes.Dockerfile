ARG BASE="alpine" TAG='3.20'
FROM "${BASE}":$TAG
