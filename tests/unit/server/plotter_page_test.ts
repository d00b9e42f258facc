/** The plotter's page as `serve` hands it out. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { request } from "node:http";
import { connect } from "@btrdb/btrdb";
import { type ApiKey, serve, type ServeOptions } from "../../../src/server/mod.ts";

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly bytes: Uint8Array;
}

/** Sends a request as it is: `fetch` would decompress and follow caches of its own. */
function ask(
  base: string,
  path: string,
  headers: Record<string, string> = {},
  method = "GET",
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(`${base}${path}`, { method, headers, agent: false }, (response) => {
      const pieces: Uint8Array[] = [];
      response.on("data", (piece) => pieces.push(piece));
      response.on("end", () => {
        const bytes = new Uint8Array(pieces.flatMap((piece) => [...piece]));
        resolve({ status: response.statusCode!, headers: response.headers, bytes });
      });
    });
    asked.on("error", reject);
    asked.end();
  });
}

async function withPage(
  options: ServeOptions,
  use: (base: string) => Promise<void>,
): Promise<void> {
  await using db = await connect("memory:");
  await using server = await serve(db, {
    port: 0,
    http: { port: 0 },
    hostname: "127.0.0.1",
    ...options,
  });
  await use(`http://127.0.0.1:${server.httpPort}`);
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

Deno.test("plotterPage: the page, its scripts and styles come with types, hashes and a policy", async () => {
  await withPage({}, async (base) => {
    const page = await ask(base, "/");
    assertEquals(page.status, 200);
    assertEquals(page.headers["content-type"], "text/html; charset=utf-8");
    assertEquals(page.headers["cache-control"], "no-cache");
    assertEquals(page.headers["x-content-type-options"], "nosniff");
    const policy = String(page.headers["content-security-policy"]);
    assertStringIncludes(policy, "default-src 'none'");
    assertStringIncludes(policy, "require-trusted-types-for 'script'");
    assertEquals(policy.match(/'unsafe-[a-z]+'/g), null);
    const html = text(page.bytes);
    const assets = [...html.matchAll(/(?:href|src)="\.\/(assets\/[^"]+)"/g)].map(([, path]) =>
      path!
    );
    assertEquals(assets.length, 3);
    const types: Record<string, string> = {
      js: "text/javascript; charset=utf-8",
      css: "text/css; charset=utf-8",
      svg: "image/svg+xml; charset=utf-8",
    };
    for (const path of assets) {
      assertMatch(path, /-[0-9a-f]{12}\.(js|css|svg)$/);
      const asset = await ask(base, `/${path}`);
      assertEquals(asset.status, 200, path);
      assertEquals(asset.headers["content-type"], types[path.replace(/^.*\./, "")]);
      assertStringIncludes(String(asset.headers["cache-control"]), "immutable");
      assertEquals(asset.bytes.length, Number(asset.headers["content-length"]));
    }
  });
});

Deno.test("plotterPage: compressed and plain are the same content under two tags", async () => {
  await withPage({}, async (base) => {
    const plain = await ask(base, "/");
    for (const accepted of ["gzip", "br, gzip;q=0.5", "*"]) {
      const packed = await ask(base, "/", { "accept-encoding": accepted });
      assertEquals(packed.headers["content-encoding"], "gzip", accepted);
      const stream = new Blob([packed.bytes as Uint8Array<ArrayBuffer>]).stream()
        .pipeThrough(new DecompressionStream("gzip"));
      assertEquals(await new Response(stream).text(), text(plain.bytes));
      assert(packed.headers.etag !== plain.headers.etag);
    }
    for (const accepted of ["", "br", "gzip;q=0", "*;q=0"]) {
      const answer = await ask(base, "/", { "accept-encoding": accepted });
      assertEquals(answer.headers["content-encoding"], undefined, accepted);
      assertEquals(answer.headers.etag, plain.headers.etag);
    }
  });
});

Deno.test("plotterPage: a client that has the content gets 304", async () => {
  await withPage({}, async (base) => {
    for (const accepted of ["gzip", "identity"]) {
      const headers = { "accept-encoding": accepted };
      const tag = String((await ask(base, "/", headers)).headers.etag);
      for (const known of [tag, `W/${tag}`, `"other", ${tag}`, "*"]) {
        const answer = await ask(base, "/", { ...headers, "if-none-match": known });
        assertEquals(
          [answer.status, answer.bytes.length, answer.headers.etag],
          [304, 0, tag],
          known,
        );
        assert(answer.headers["content-security-policy"] !== undefined);
      }
      const answer = await ask(base, "/", { ...headers, "if-none-match": '"other"' });
      assertEquals(answer.status, 200);
    }
  });
});

Deno.test("plotterPage: HEAD has the head of GET, other methods are refused, unknown files are 404", async () => {
  await withPage({}, async (base) => {
    const [get, head] = [await ask(base, "/"), await ask(base, "/", {}, "HEAD")];
    assertEquals([head.status, head.bytes.length], [200, 0]);
    assertEquals(head.headers["content-length"], get.headers["content-length"]);
    assertEquals(head.headers.etag, get.headers.etag);
    for (const method of ["POST", "PUT", "DELETE", "PATCH"]) {
      const answer = await ask(base, "/", {}, method);
      assertEquals([answer.status, answer.headers.allow], [405, "GET, HEAD"], method);
    }
    for (const path of ["/assets/", "/assets/main.js", "/assets/../secret", "/index.html"]) {
      assertEquals((await ask(base, path)).status, 404, path);
    }
    assertEquals((await ask(base, "/?utm=1")).status, 200);
  });
});

Deno.test("plotterPage: it needs no key, since it holds no data, and http.pages switches it off", async () => {
  const apiKeys: ApiKey[] = [{ key: "secret", capabilities: ["read"] }];
  await withPage({ apiKeys }, async (base) => assertEquals((await ask(base, "/")).status, 200));
  await withPage({ http: { port: 0, pages: false } }, async (base) => {
    assertEquals((await ask(base, "/")).status, 404);
  });
});
