/** Bundles for pages, and a server of pages with a strict policy. */

import type { AddressInfo } from "node:net";
import { createServer } from "node:http";

/** The policy of a careful site: nothing but its own scripts, WebAssembly, and one server. */
export function strictPolicy(connectTo: string): string {
  return [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    `connect-src ${connectTo}`,
    "img-src data:",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");
}

/**
 * A program as one script for a browser.
 *
 * @param imports Other places for some names of the import map, from the root of the repository.
 */
export async function bundleFor(
  program: string,
  imports: Readonly<Record<string, string>> = {},
): Promise<string> {
  const folder = await Deno.makeTempDir();
  try {
    const [source, out] = [`${folder}/program.ts`, `${folder}/program.js`];
    await Deno.writeTextFile(source, program);
    const config = ["--config", "deno.json"];
    if (Object.keys(imports).length > 0) {
      // The configuration of a package would put its own names first.
      config.splice(0, 2, "--no-config", "--import-map", `${folder}/imports.json`);
      await Deno.writeTextFile(`${folder}/imports.json`, JSON.stringify(await mapWith(imports)));
    }
    const args = ["bundle", "--platform", "browser", ...config, "-o", out, source];
    const { success, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    return await Deno.readTextFile(out);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The import map of this repository for programs elsewhere, with other places for some names. */
async function mapWith(imports: Readonly<Record<string, string>>): Promise<object> {
  const root = new URL("../../", import.meta.url);
  const config = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  const all: Record<string, string> = { ...config.imports, ...imports };
  for (const [name, place] of Object.entries(all)) {
    if (place.startsWith("./")) all[name] = new URL(place, root).href;
  }
  return { imports: all };
}

/** A site with one page that runs a script. */
export class Site implements AsyncDisposable {
  readonly #server = createServer();
  /** Its origin. */
  origin = "";

  /** Opens a site; its script and policy are set with {@linkcode Site.show}. */
  static async open(): Promise<Site> {
    const site = new Site();
    await new Promise<void>((resolve) => site.#server.listen(0, "127.0.0.1", resolve));
    site.origin = `http://127.0.0.1:${(site.#server.address() as AddressInfo).port}`;
    return site;
  }

  /** Sets what is served. */
  show(script: string, policy: string): void {
    this.#server.removeAllListeners("request");
    this.#server.on("request", (request, response) => {
      if (request.url === "/program.js") {
        response.writeHead(200, { "content-type": "text/javascript" });
        return void response.end(script);
      }
      response.writeHead(200, { "content-type": "text/html", "content-security-policy": policy });
      response.end(
        '<!doctype html><title>btrdb</title><link rel="icon" href="data:,">' +
          '<script type="module" src="/program.js"></script>',
      );
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }
}
