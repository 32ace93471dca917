// A web server that greets and uses only Node's standard library. It
// listens on $PORT, 8080 by default, and ends when it is interrupted or asked
// to terminate.
import { createServer } from "node:http";

const port = Number(process.env.PORT || 8080);
const mode = process.env.NODE_ENV || "production";

const server = createServer((request, response) => {
  response.setHeader("Content-Type", "text/plain; charset=utf-8");
  response.end("Hello from node-http\n");
});

server.on("error", (error) => {
  console.error(`node-http: ${error.message}`);
  process.exitCode = 1;
});

server.listen(port, () => console.log(`node-http listens on :${port} (${mode})`));

let ending = false;

function end() {
  if (ending) return;
  ending = true;
  server.close(() => console.log("node-http has ended"));
  server.closeIdleConnections();
}

process.on("SIGINT", end);
process.on("SIGTERM", end);
