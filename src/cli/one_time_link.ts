/**
 * Links that lead on to an address once.
 *
 * @module
 */

/** Length of the code in a link, bytes. */
const CODE_BYTES = 24;

const USED =
  "This link has led on already. If that was not you, another process of this machine has " +
  "followed it: interrupt btrdb plot.\n";

/**
 * A link of this machine that leads on to an address once. The words of a command are no secret from
 * other users of the machine, and a browser keeps the address that it was started with among its own as
 * long as it runs: a key there would be for all of them.
 */
export class OneTimeLink implements AsyncDisposable {
  /** The link. */
  readonly url: string;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #end = new AbortController();
  #isUsed = false;

  /** @param address Address to which it leads. */
  constructor(address: string) {
    const path = `/${crypto.getRandomValues(new Uint8Array(CODE_BYTES)).toHex()}`;
    const options = { hostname: "127.0.0.1", port: 0, signal: this.#end.signal, onListen() {} };
    this.#server = Deno.serve(options, (request) => this.#answer(request, path, address));
    this.url = `http://127.0.0.1:${this.#server.addr.port}${path}`;
  }

  #answer({ method, url }: Request, path: string, address: string): Response {
    const headers = { "cache-control": "no-store", "referrer-policy": "no-referrer" };
    if (method !== "GET" || new URL(url).pathname !== path) {
      return new Response("There is nothing here\n", { status: 404, headers });
    }
    if (this.#isUsed) return new Response(USED, { status: 410, headers });
    this.#isUsed = true;
    return new Response(null, { status: 303, headers: { ...headers, location: address } });
  }

  /** Ends it, and its connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    await this.#server.finished;
  }
}
