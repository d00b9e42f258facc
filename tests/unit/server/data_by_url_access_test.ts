/** Access to data by URL: methods, keys, TLS, pages of other origins. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { haveOpenssl, makeCertificate } from "../../support/certificate.ts";
import { CSV, PARQUET, withData } from "../../support/data_by_url.ts";

Deno.test("data by URL: methods, paths and HEAD", () =>
  withData(async ({ get, failure }) => {
    for (const method of ["POST", "PUT", "DELETE", "PATCH"]) {
      const response = await get(CSV, { method });
      assertEquals([response.status, response.headers.get("allow")], [405, "GET, HEAD"]);
      await response.body?.cancel();
    }
    assertEquals((await failure("/api/v1/data.xlsx?stream=pmu/s7/a"))[0], 404);
    assertEquals((await failure("/api/v1/data.csv/?stream=pmu/s7/a"))[0], 404);
    const head = await get(CSV, { method: "HEAD" });
    assertEquals([head.status, await head.text()], [200, ""]);
    assertEquals(head.headers.get("accept-ranges"), "none");
    assertEquals(head.headers.get("x-content-type-options"), "nosniff");
    const unknown = await get("/api/v1/data.csv?stream=x/y", { method: "HEAD" });
    assertEquals([unknown.status, await unknown.text()], [404, ""]);
  }));

Deno.test("data by URL: keys, and collections that they are kept to", () =>
  withData(
    async ({ db, get, failure }) => {
      await db.create(crypto.randomUUID(), "secret", { tags: { name: "s" } });
      assertEquals((await failure(CSV))[0], 401);
      assertEquals((await failure(PARQUET))[0], 401);
      const bearer = { headers: { authorization: "bearer reader" } };
      const basic = { headers: { authorization: `Basic ${btoa("me:reader")}` } };
      for (const init of [bearer, basic]) {
        const response = await get(CSV, init);
        assertEquals([response.status, response.headers.get("cache-control")], [
          200,
          "private, no-cache",
        ]);
        await response.text();
      }
      assertEquals((await failure(CSV, { headers: { authorization: "bearer x" } }))[0], 401);
      const secret = (await db.lookupStreams("secret").next()).value!.uuid;
      assertEquals((await failure("/api/v1/data.csv?stream=secret/s", bearer))[0], 404);
      assertEquals((await failure(`/api/v1/data.parquet?stream=${secret}`, bearer))[0], 403);
      assertEquals(
        (await failure(`/api/v1/data.parquet?stream=${crypto.randomUUID()}`, bearer))[0],
        403,
      );
      assertEquals((await failure(`/api/v1/streams/${secret}`, bearer))[0], 403);
      const streams = await (await get("/api/v1/streams", bearer)).json();
      assertEquals(streams.length, 2);
      assertEquals(await (await get("/api/v1/collections", bearer)).json(), ["pmu/s7"]);
      const file = await get(PARQUET, bearer);
      await file.body!.cancel();
      assertEquals(
        (await failure(PARQUET, { headers: { authorization: "bearer writer" } }))[0],
        403,
      );
    },
    {
      apiKeys: [
        { key: "reader", capabilities: ["read"], collectionPrefixes: ["pmu/"] },
        { key: "writer", capabilities: ["insert"] },
      ],
      hostname: "127.0.0.1",
    },
  ));

Deno.test({
  name: "data by URL: the same over TLS, as HTTP/2 and HTTP/1.1",
  ignore: !haveOpenssl(),
  async fn() {
    const folder = await Deno.makeTempDir();
    const tls = await makeCertificate(folder, "server", ["basicConstraints=critical,CA:FALSE"]);
    const cert = await Deno.readTextFile(tls.cert);
    await withData(async ({ server }) => {
      for (const http2 of [true, false]) {
        using client = Deno.createHttpClient({ caCerts: [cert], http2, http1: !http2 });
        const get = (path: string, init: RequestInit = {}) => {
          const withClient: RequestInit & { client: Deno.HttpClient } = { ...init, client };
          return fetch(`https://localhost:${server.httpPort}${path}`, withClient);
        };
        const head = await get(PARQUET, { method: "HEAD" });
        const size = Number(head.headers.get("content-length"));
        assertEquals([head.status, await head.text()], [200, ""]);
        const part = await get(PARQUET, { headers: { range: `bytes=-${2 * size}` } });
        assertEquals(part.status, 206);
        assertEquals((await part.arrayBuffer()).byteLength, size);
        const same = await get(PARQUET, {
          headers: { "if-none-match": head.headers.get("etag")! },
        });
        assertEquals([same.status, await same.text()], [304, ""]);
        assertEquals((await (await get(`${CSV}&points=3`)).text()).split("\n").length, 5);
        const refused = await get(CSV, { method: "POST", body: "x" });
        assertEquals([refused.status, refused.headers.get("allow")], [405, "GET, HEAD"]);
        await refused.body?.cancel();
      }
    }, { tls });
    await Deno.remove(folder, { recursive: true });
  },
});

Deno.test("data by URL: pages of listed origins may ask, with ranges and conditions", () =>
  withData(async ({ get }) => {
    const origin = "https://grid.example.org";
    const asked = await get(PARQUET, {
      method: "OPTIONS",
      headers: { origin, "access-control-request-headers": "authorization, range, if-range" },
    });
    assertEquals([asked.status, asked.headers.get("access-control-allow-origin")], [204, origin]);
    const fields = asked.headers.get("access-control-allow-headers")!.split(", ");
    for (const field of ["authorization", "range", "if-range", "if-match", "if-none-match"]) {
      assert(fields.includes(field), field);
    }
    const answer = await get(PARQUET, { headers: { origin, range: "bytes=0-3" } });
    assertEquals([answer.status, await answer.text()], [206, "PAR1"]);
    assertEquals(answer.headers.get("access-control-allow-origin"), origin);
    assertStringIncludes(answer.headers.get("access-control-expose-headers")!, "content-range");
    assertStringIncludes(answer.headers.get("vary")!, "origin");
    const foreign = await get(PARQUET, { headers: { origin: "https://x.example" } });
    assertEquals([foreign.status, (await foreign.json()).error.status], [403, 403]);
  }, { http: { port: 0, origins: ["https://grid.example.org"] } }));
