FROM alpine AS onbuild
ONBUILD ARG NODE_ENV
ONBUILD ENV NODE_ENV $NODE_ENV
ONBUILD COPY package*.json /app/
ONBUILD RUN npm install
FROM onbuild
CMD ["npm", "start"]
