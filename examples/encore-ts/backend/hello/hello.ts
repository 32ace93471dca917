import { api } from "encore.dev/api";
import { secret } from "encore.dev/config";

// The platform stores it; "stagecraft dev" sets it from .env.local.
const key = secret("GREETING_KEY");

interface Greeting {
  message: string;
}

// GET /hello/:name greets with the word in the variable GREETING.
export const hello = api(
  { expose: true, method: "GET", path: "/hello/:name" },
  async ({ name }: { name: string }): Promise<Greeting> => {
    const word = process.env.GREETING ?? "Hi";
    return { message: `${word} ${name}${key() ? "!" : ""}` };
  },
);
