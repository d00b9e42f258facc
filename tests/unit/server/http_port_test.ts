/** The HTTP port of `serve`: gRPC-Web calls, and who may ask. */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { connect as connectTcp } from "node:net";
import { connect } from "@btrdb/btrdb";
import { serve, type ServeOptions, type Server } from "../../../src/server/mod.ts";
import { frameOf, FrameReader, statusOf } from "../../../src/core/grpc_web.ts";
import { allowedOrigin, isOwnHost } from "../../../src/server/http/origins.ts";
import { httpAddressOf } from "../../../src/server/options.ts";

const INFO = "/v5api.BTrDB/Info";
const TYPE = "application/grpc-web+proto";

async function withServer(
  options: ServeOptions,
  use: (server: Server, base: string) => Promise<void>,
): Promise<void> {
  await using db = await connect("memory:");
  await using server = await serve(db, { port: 0, http: { port: 0 }, ...options });
  await use(server, `http://127.0.0.1:${server.httpPort}`);
}

/** Messages and status of an answer. */
async function answerOf(response: Response): Promise<{ messages: number; end: string }> {
  const bytes = new Uint8Array(await response.arrayBuffer());
  const reader = new FrameReader(1 << 20);
  let messages = 0;
  for (let frame = reader.take(bytes); frame !== undefined; frame = reader.take(bytes)) {
    if (!frame.isTrailers) messages++;
    else {
      const { code, details } = statusOf(frame.bytes);
      return { messages, end: details === "" ? String(code) : `${code} ${details}` };
    }
  }
  throw new Error("no trailers");
}

/** Answer of a server to bytes, to the end of the connection. */
function say(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = connectTcp(port, "127.0.0.1", () => socket.write(text));
    socket.on("data", (bytes) => answer += String(bytes));
    socket.on("error", () => {});
    socket.on("close", () => resolve(answer));
  });
}

function call(
  base: string,
  path = INFO,
  headers: Record<string, string> = {},
  body: Uint8Array<ArrayBuffer> = frameOf(new Uint8Array(0)),
): Promise<Response> {
  return fetch(base + path, {
    method: "POST",
    headers: { "content-type": TYPE, ...headers },
    body,
  });
}

Deno.test("serve http: a call, and statuses in the trailers", async () => {
  await withServer({}, async (_server, base) => {
    const response = await call(base);
    assertEquals(response.headers.get("content-type"), TYPE);
    assertEquals(response.headers.get("x-content-type-options"), "nosniff");
    assertEquals(await answerOf(response), { messages: 1, end: "0" });
    const unknown = await call(base, "/v5api.BTrDB/Nothing");
    assertEquals(await answerOf(unknown), {
      messages: 0,
      end: "12 unknown method Nothing for service v5api.BTrDB",
    });
  });
});

Deno.test("serve http: a connection is kept for the next requests, and closed by a stop", async () => {
  await withServer({}, async (server) => {
    const request = "GET /nothing HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let answers = 0;
    const socket = connectTcp(server.httpPort!, "127.0.0.1", () => socket.write(request));
    const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
    socket.on("error", () => {});
    await new Promise<void>((resolve) =>
      socket.on("data", (bytes) => {
        if (!String(bytes).startsWith("HTTP/1.1 404")) return;
        if (++answers === 5) resolve();
        // Not at once: Deno ended the connection a moment after its first answer.
        else setTimeout(() => socket.write(request), 20);
      })
    );
    await server.stop();
    await closed;
    assertEquals(answers, 5);
  });
});

Deno.test("serve http: messages that are too long, cut off or no frames end the call", async () => {
  await withServer({ limits: { messageBytes: 1000 } }, async (_server, base) => {
    const ends = async (body: number[]) =>
      (await answerOf(await call(base, INFO, {}, Uint8Array.from(body)))).end;
    assertStringIncludes(await ends([0, 0, 0, 3, 233]), "8 a message of 1001 bytes is longer");
    assertStringIncludes(await ends([0, 0, 0, 0, 9, 1]), "13 the request message broke off");
    assertStringIncludes(await ends([7, 0, 0, 0, 0]), "13 it is no gRPC-Web");
    assertStringIncludes(await ends([1, 0, 0, 0, 0]), "13 a message is compressed");
    assertStringIncludes(await ends([]), "13 EOF");
  });
});

Deno.test("serve http: keys in the header, never elsewhere", async () => {
  await withServer(
    { apiKeys: [{ key: "secret", capabilities: ["read"] }] },
    async (_server, base) => {
      const path = "/v5api.BTrDB/ListCollections";
      assertStringIncludes((await answerOf(await call(base, path))).end, "7 ");
      assertStringIncludes(
        (await answerOf(await call(`${base}`, `${path}?key=secret`))).end,
        "12 ",
      );
      const { end } = await answerOf(await call(base, path, { authorization: "bearer secret" }));
      assertEquals(end, "0");
    },
  );
});

Deno.test("serve http: other methods, paths and types", async () => {
  await withServer({}, async (_server, base) => {
    const requests: [string, RequestInit, number][] = [
      ["/nothing", {}, 404],
      [INFO, {}, 404],
      [INFO, { method: "PUT", body: "x" }, 404],
      [INFO, { method: "POST", body: "x", headers: { "content-type": "application/grpc" } }, 415],
      [INFO, { method: "POST", body: "x", headers: { "content-type": `${TYPE}-text` } }, 415],
      [INFO, { method: "POST", body: "x" }, 404],
    ];
    for (const [path, init, status] of requests) {
      const response = await fetch(base + path, init);
      assertEquals([path, response.status], [path, status]);
      assertEquals((await response.json()).error.status, status);
    }
  });
});

Deno.test("serve http: without keys, no name of a stranger leads here (DNS rebinding)", async () => {
  await withServer({}, async (server) => {
    const ask = (host: string) =>
      say(server.httpPort!, `GET /nothing HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    assertStringIncludes(await ask("attacker.example"), "403 Forbidden");
    assertStringIncludes(await ask("localhost:8080"), "404 Not Found");
  });
});

// Fields behind the first thousand were dropped: what a proxy added or looked at there did not count.
Deno.test("serve http: requests to two hosts, or with two keys, are no requests", async () => {
  await withServer({}, async (server) => {
    const ask = (hosts: string) =>
      say(server.httpPort!, `GET /nothing HTTP/1.1\r\n${hosts}\r\nConnection: close\r\n\r\n`);
    const thousand = "x:\r\n".repeat(1_100);
    assertStringIncludes(await ask(`Host: a\r\n${thousand}Host: localhost`), "400 Bad Request");
    assertStringIncludes(await ask(`${thousand}Host: localhost`), "404 Not Found");
    const keys = "Authorization: Bearer a\r\nauthorization: Bearer b";
    assertStringIncludes(await ask(`Host: localhost\r\n${keys}`), "400 Bad Request");
    for (const hosts of ["Host: localhost\r\nHost: evil.example", "Host: a\r\nhost: a"]) {
      assertStringIncludes(await ask(hosts), "400 Bad Request");
    }
    assertStringIncludes(await ask("Host: localhost\r\nX-Host: a"), "404 Not Found");
  });
});

Deno.test("serve http: pages of other origins only if they are listed", async () => {
  const origins = ["https://grid.example.org"];
  await withServer({ http: { port: 0, origins } }, async (_server, base) => {
    const foreign = await call(base, INFO, { origin: "https://evil.example" });
    assertEquals(foreign.status, 403);
    assertEquals(foreign.headers.get("access-control-allow-origin"), null);
    await foreign.body?.cancel();
    const own = await call(base, INFO, { origin: base });
    assertEquals((await answerOf(own)).end, "0");
    const listed = await call(base, INFO, { origin: origins[0]! });
    assertEquals(listed.headers.get("access-control-allow-origin"), origins[0]);
    assertEquals((await answerOf(listed)).end, "0");
    const preflight = (origin: string) =>
      fetch(base + INFO, {
        method: "OPTIONS",
        headers: { origin, "access-control-request-method": "POST" },
      });
    const allowed = await preflight(origins[0]!);
    assertEquals(allowed.status, 204);
    assertStringIncludes(allowed.headers.get("access-control-allow-headers")!, "x-grpc-web");
    const refused = await preflight("https://grid.example.org.evil.example");
    assertEquals(refused.status, 403);
    await refused.body?.cancel();
  });
});

// Where all origins may call, any page wrote with a password that its reader had typed in before: browsers
// add it to requests that need no question before them, such as a POST of text.
Deno.test("serve http: a password comes from pages of listed origins and this server alone", async () => {
  const key = "secret-key";
  const apiKeys = [{ key, capabilities: ["read" as const, "insert" as const] }];
  const listed = "https://grid.example.org";
  const http = { port: 0, origins: ["*", listed], write: { collection: "{bucket}" } };
  await withServer({ apiKeys, http }, async (_server, base) => {
    const write = async (authorization: string, origin?: string) => {
      const { status, body } = await fetch(`${base}/api/v2/write?bucket=b`, {
        method: "POST",
        headers: { "content-type": "text/plain", authorization, ...(origin && { origin }) },
        body: "m v=1 1",
      });
      await body?.cancel();
      return status;
    };
    for (const password of [`Basic ${btoa(`me:${key}`)}`, `bASIC  ${btoa(`:${key}`)}`]) {
      assertEquals(await write(password), 204);
      assertEquals(await write(password, base), 204);
      assertEquals(await write(password, listed), 204);
      for (const origin of ["https://evil.example", "null", `${base}0`, "file://"]) {
        assertEquals(await write(password, origin), 403, origin);
      }
    }
    for (const form of ["Token", "Bearer"]) {
      assertEquals(await write(`${form} ${key}`, "https://any.example"), 204);
    }
  });
});

Deno.test("isOwnHost: addresses, loopback names and configured ones", () => {
  const rules = { origins: ["https://grid.example.org"], hostname: "db.lan", keyed: false };
  const own = ["localhost", "LOCALHOST:80", "127.0.0.1:1", "[::1]:8080", "10.0.0.7", "db.lan:8080"];
  own.push("grid.example.org", "app.localhost:3000");
  for (const host of own) assert(isOwnHost(host, rules), host);
  const others = [undefined, "", "evil.example", "localhost.evil.example", "1.2.3.4.evil.example"];
  // Each of these was taken for an IPv6 address, because of its colon.
  others.push("evil.example:", "evil.example:x", "evil.example:80:", "[evil.example:x]");
  others.push("localhost:80@evil.example", "localhost.", "999.1.1.1", "0x7f.1", "[::1", "::1]");
  for (const host of others) assert(!isOwnHost(host, rules), host);
  assert(isOwnHost("evil.example", { ...rules, keyed: true }));
});

Deno.test("allowedOrigin: none, own, listed, all, foreign", () => {
  const rules = { origins: ["https://a.example"], hostname: "h", keyed: false };
  assertEquals(allowedOrigin(undefined, "h", rules), undefined);
  assertEquals(allowedOrigin("http://h:8080", "h:8080", rules), undefined);
  assertEquals(allowedOrigin("https://a.example", "h", rules), "https://a.example");
  assertEquals(allowedOrigin("https://b.example", "h", rules), null);
  assertEquals(allowedOrigin("null", "h", rules), null);
  assertEquals(allowedOrigin("null", "h", { ...rules, origins: ["*"] }), "*");
});

Deno.test("httpAddressOf: a public address without keys, and origins that are none", () => {
  const address = { hostname: "127.0.0.1", port: 8080 };
  assertEquals(httpAddressOf({ http: {} }, "127.0.0.1"), { ...address, origins: [] });
  const refusals: [ServeOptions["http"] & object, string][] = [
    [{ hostname: "0.0.0.0" }, "without API keys"],
    [{ port: 70000 }, "expected 0 to 65535"],
    [{ origins: ["grid.example.org"] }, 'http.origins has "grid.example.org"'],
    [{ origins: ["https://grid.example.org/path"] }, "expected"],
  ];
  for (const [http, text] of refusals) {
    assertThrows(() => httpAddressOf({ http }, "127.0.0.1"), Error, text);
  }
});

Deno.test("serve http: a stop answers calls under way and leaves no connection", async () => {
  await using db = await connect("memory:");
  const server = await serve(db, { port: 0, http: { port: 0 } });
  const client = await connect(`grpc-web://127.0.0.1:${server.httpPort}`);
  const stream = await client.create(crypto.randomUUID(), "x");
  const waiting = (async () => {
    for await (const _update of client.subscribe([stream])) break;
  })().then(() => "ended", (error) => error.status);
  await client.info();
  await server.stop();
  assertEquals(await waiting, "UNAVAILABLE");
  await client.close();
});
