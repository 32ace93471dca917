// Shows the notes of the API.
import { createServer } from "node:http";

createServer(async (request, response) => {
  try {
    const notes = await (await fetch(`http://127.0.0.1:${process.env.API_PORT}/notes`)).json();
    response.end(notes.join("\n") + "\n");
  } catch (error) {
    response.writeHead(502).end(`${error.message}\n`);
  }
}).listen(process.env.WEB_PORT, "127.0.0.1", () => console.log(`web listens on :${process.env.WEB_PORT}`));
