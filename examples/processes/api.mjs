// GET /notes returns the notes. A real server would use a library for PostgreSQL; psql
// needs no installation.
import { execFile } from "node:child_process";
import { createServer } from "node:http";

const query = "SELECT coalesce(json_agg(text ORDER BY id), '[]') FROM notes";

createServer((request, response) => {
  if (request.url !== "/notes") {
    response.writeHead(404).end();
    return;
  }
  execFile("psql", ["-At", "-c", query], (error, stdout) => {
    response.writeHead(error ? 503 : 200, { "content-type": "application/json" });
    response.end(error ? "[]" : stdout);
  });
}).listen(process.env.API_PORT, "127.0.0.1", () => console.log(`api listens on :${process.env.API_PORT}`));
