/** Line protocol over the HTTP port of `serve`. */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { connect as connectTcp, type Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { type BTrDB, connect, MAX_TIME, MIN_TIME, type Stream } from "@btrdb/btrdb";
import { serve, type ServeOptions, type Server } from "../../../src/server/mod.ts";
import { CollectionTemplate } from "../../../src/core/collection_template.ts";
import { until } from "../../support/until.ts";

const T = 1_700_000_000_000_000_000n;

/** A server that takes writes, and what is asked of it. */
interface Writer {
  readonly db: BTrDB;
  readonly server: Server;
  readonly base: string;
  /** Status and text of the reply to a POST. */
  post(path: string, body: BodyInit, headers?: Record<string, string>): Promise<[number, string]>;
  /** Every point, `collection/name time value`, in order. */
  points(): Promise<string[]>;
}

async function withWriter(
  options: ServeOptions,
  use: (writer: Writer) => Promise<void>,
): Promise<void> {
  await using db = await connect("memory:");
  await using server = await serve(db, { port: 0, http: { port: 0, write: true }, ...options });
  const base = `http://127.0.0.1:${server.httpPort}`;
  await use({
    db,
    server,
    base,
    async post(path, body, headers = {}) {
      const response = await fetch(base + path, { method: "POST", body, headers });
      return [response.status, await response.text()];
    },
    async points() {
      const found: string[] = [];
      for await (const stream of db.lookupStreams("", { isCollectionPrefix: true })) {
        const path = `${await stream.collection()}/${(await stream.tags()).name}`;
        const { times, values } = await stream.rawValues(MIN_TIME, MAX_TIME - 1n).collect();
        times.forEach((time, i) => found.push(`${path} ${time} ${values[i]}`));
      }
      return found.sort();
    },
  });
}

/** A stream of a collection. */
async function first(db: BTrDB, collection: string): Promise<Stream> {
  for await (const stream of db.lookupStreams(collection)) return stream;
  throw new Error(`no stream in ${collection}`);
}

/** Text of the error in a reply of any API. */
function errorOf(text: string): string {
  const { error, message } = JSON.parse(text);
  return message ?? error;
}

Deno.test("serve http write: a line becomes points in the streams of its fields, ns exact", async () => {
  await withWriter({}, async ({ db, post, points }) => {
    const line = `cpu,region=eu,Host=a usage=0.1,cores=8i,n=7u,up=T,state="ok, =" ${T + 1n}`;
    assertEquals(await post("/write?db=grid", line), [204, ""]);
    assertEquals(await points(), [
      `grid/cpu/a/eu/cores ${T + 1n} 8`,
      `grid/cpu/a/eu/n ${T + 1n} 7`,
      `grid/cpu/a/eu/up ${T + 1n} 1`,
      `grid/cpu/a/eu/usage ${T + 1n} 0.1`,
    ]);
    const stream = await first(db, "grid/cpu/a/eu");
    assertEquals((await stream.annotations())[0], { host: "a", region: "eu" });
  });
});

Deno.test("serve http write: strings are left out and counted, in the reply and in the metrics", async () => {
  await withWriter({}, async ({ base, server, points }) => {
    const body = 'log text="a\nb",more="c"\nlog v=1,text="d" 5\n';
    const response = await fetch(`${base}/write?db=g`, { method: "POST", body });
    await response.body?.cancel();
    assertEquals([response.status, response.headers.get("x-btrdb-strings-omitted")], [204, "3"]);
    assertStringIncludes(server.metrics(), "btrdb_server_strings_omitted_total 3\n");
    assertStringIncludes(server.metrics(), "btrdb_server_points_inserted_total 1\n");
    assertEquals(await points(), ["g/log/v 5 1"]);
  });
});

Deno.test("serve http write: a request that is sent again changes nothing, a later value replaces", async () => {
  await withWriter({}, async ({ db, post, points }) => {
    const lines = (from: number, value: number) =>
      Array.from({ length: 40_000 }, (_, i) => `m v=${value} ${from + i}`).join("\n");
    for (let i = 0; i < 2; i++) assertEquals((await post("/write?db=g", lines(0, 1)))[0], 204);
    assertEquals((await post("/write?db=g", lines(39_990, 2)))[0], 204);
    await (await first(db, "g/m")).flush();
    assertEquals((await post("/write?db=g", "m v=3 7\nm v=4 7\nm,= v=1\n"))[0], 400);
    const all = await points();
    assertEquals(all.length, 79_990);
    assertEquals(all.filter((point) => / 7 /.test(point)), ["g/m/v 7 4"]);
    assertEquals(
      all.filter((point) => / 3999\d /.test(point)).every((p) => p.endsWith(" 2")),
      true,
    );
  });
});

Deno.test("serve http write: every precision of every API, and no other", async () => {
  const units: Record<string, [string, bigint][]> = {
    "/write?db=b": [
      ["n", 1n],
      ["ns", 1n],
      ["u", 1_000n],
      ["us", 1_000n],
      ["%C2%B5", 1_000n],
      ["ms", 1_000_000n],
      ["s", 1_000_000_000n],
      ["m", 60_000_000_000n],
      ["h", 3_600_000_000_000n],
    ],
    "/api/v2/write?bucket=b": [["ns", 1n], ["us", 1_000n], ["ms", 1_000_000n], [
      "s",
      1_000_000_000n,
    ]],
    "/api/v3/write_lp?db=b": [
      ["nanosecond", 1n],
      ["microsecond", 1_000n],
      ["millisecond", 1_000_000n],
      ["second", 1_000_000_000n],
      ["auto", 1_000_000_000n],
    ],
  };
  for (const [path, known] of Object.entries(units)) {
    await withWriter({}, async ({ post, points }) => {
      for (const [i, [name, unit]] of known.entries()) {
        assertEquals(
          (await post(`${path}&precision=${name}`, `m f${i}=1 ${3n + BigInt(i)}`))[0],
          204,
        );
        assert((await points()).includes(`b/m/f${i} ${(3n + BigInt(i)) * unit} 1`), name);
      }
      const [status, text] = await post(`${path}&precision=weeks`, "m v=1 1");
      assertEquals(status, 400);
      assertStringIncludes(errorOf(text), 'invalid precision "weeks"; expected one of ');
    });
  }
});

Deno.test("serve http write: lines without a time have the request's, in whole units", async () => {
  await withWriter({}, async ({ post, points }) => {
    const before = BigInt(Date.now()) * 1_000_000n - 2_000_000_000n;
    assertEquals((await post("/write?db=b&precision=s", "m a=1\nm b=2\n"))[0], 204);
    const times = (await points()).map((point) => BigInt(point.split(" ")[1]!));
    assertEquals(times[0], times[1]);
    assertEquals(times[0]! % 1_000_000_000n, 0n);
    assert(times[0]! > before && times[0]! < before + 60_000_000_000n);
  });
});

Deno.test("serve http write: good lines are stored, bad ones told as InfluxDB 1, 2 and 3 do", async () => {
  await withWriter({}, async ({ post, points }) => {
    const body = `m v=1 ${T}\nm v=\nm v=9007199254740993i\nm w=2 ${T}`;
    const [v1, text1] = await post("/write?db=a", body);
    assertEquals([v1, JSON.parse(text1)], [400, {
      error: "partial write: unable to parse 'm v=': invalid value at '', expected a number, a " +
        "boolean or a string (line 2)\nunable to parse 'm v=9007199254740993i': integer at " +
        "'9007199254740993i' cannot be stored without rounding, expected at most 2^53, or digits " +
        "that a double holds (line 3) dropped=2",
    }]);
    const [v2, text2] = await post("/api/v2/write?bucket=b", body);
    const { code, message, line } = JSON.parse(text2);
    assertEquals([v2, code, line], [400, "invalid", 2]);
    assertStringIncludes(message, "partial write: unable to parse 'm v=': ");
    const [v3, text3] = await post("/api/v3/write_lp?db=c", body);
    const { error, data } = JSON.parse(text3);
    assertEquals([v3, error], [400, "partial write of line protocol occurred"]);
    assertEquals(data.map((one: { line_number: number }) => one.line_number), [2, 3]);
    assertEquals(
      await points(),
      ["a", "b", "c"].flatMap((b) => [`${b}/m/v ${T} 1`, `${b}/m/w ${T} 2`]),
    );
    assertEquals(
      errorOf((await post("/write?db=a", "m"))[1]),
      "unable to parse 'm': missing fields (line 1) dropped=1",
    );
  });
});

Deno.test("serve http write: the ends of integers, doubles and times", async () => {
  await withWriter({}, async ({ post, points }) => {
    const good = [
      "a=9007199254740992i",
      "b=-9007199254740992i",
      "c=18446744073709549568u",
      "d=1.7976931348623157e308",
      "e=5e-324",
      "f=-0.0",
      "g=9223372036854771712i",
    ];
    const bad = [
      "x=9007199254740993i",
      "x=-9007199254740993i",
      "x=18446744073709551615u",
      "x=18446744073709551616u",
      "x=9223372036854775808i",
      "x=-1u",
      "x=1e309",
      "x=NaN",
      "x=inf",
      "x=1.5i",
      "x=0x10",
      "x=1_000",
      "x=tru",
      "x=1 1.5",
      `x=1 ${MAX_TIME - 1n}`,
      `x=1 ${MIN_TIME - 1n}`,
      "x=1 9223372036854775808",
      "x=1 1 1",
    ];
    const lines = [
      ...good.map((field) => `m ${field} 1`),
      `m h=1 ${MIN_TIME}`,
      `m h=1 ${MAX_TIME - 2n}`,
    ];
    const [status, text] = await post(
      "/write?db=b",
      [...bad.map((f) => `m ${f}`), ...lines].join("\n"),
    );
    assertEquals(status, 400);
    assertStringIncludes(errorOf(text), `dropped=${bad.length}`);
    const stored = await points();
    assertEquals(stored.filter((point) => point.startsWith("b/m/x")), []);
    assertEquals(stored.length, good.length + 2);
    assert(stored.includes("b/m/c 1 18446744073709550000"));
    assert(stored.includes("b/m/g 1 9223372036854772000"));
  });
});

Deno.test("serve http write: gzip, empty bodies, several members; nothing broken passes", async () => {
  await withWriter({ limits: { messageBytes: 20_000 } }, async ({ post, points }) => {
    const gzip = { "content-encoding": "gzip" };
    assertEquals((await post("/write?db=b", gzipSync("m a=1 1\n"), gzip))[0], 204);
    assertEquals((await post("/write?db=b", "", gzip))[0], 204);
    assertEquals((await post("/write?db=b", gzipSync(""), gzip))[0], 204);
    assertEquals((await post("/write?db=b", ""))[0], 204);
    const two = Uint8Array.from([...gzipSync("m b="), ...gzipSync("1 1\n")]);
    assertEquals((await post("/write?db=b", two, gzip))[0], 204);
    assertEquals(await points(), ["b/m/a 1 1", "b/m/b 1 1"]);
    for (const body of ["no gzip", two.slice(0, 20), Uint8Array.from([...two, 1, 2])]) {
      assertEquals((await post("/write?db=b", body, gzip))[0], 400);
    }
    const bomb = gzipSync("#".repeat(80_001));
    assertStringIncludes((await post("/write?db=b", bomb, gzip))[1], "larger than 80000 bytes");
    assertEquals((await post("/write?db=b", "#".repeat(20_001)))[0], 413);
    assertEquals((await post("/write?db=b", "m a=1", { "content-encoding": "br" }))[0], 415);
  });
});

Deno.test("serve http write: a quote that is not closed takes what follows with it, and says so", async () => {
  await withWriter({}, async ({ post, points }) => {
    const [status, text] = await post("/write?db=b", 'm a=1 1\nm s="x 2\nm b=1 3\nm c=1 4\n');
    assertEquals(status, 400);
    assertStringIncludes(errorOf(text), "unbalanced quotes at 's=\"x 2'; the 2 lines after it");
    const long = `m s="${"y".repeat(2 << 20)}"\nm d=1 1\n`;
    assertStringIncludes(
      (await post("/write?db=b", long))[1],
      "a line is longer than 1048576 bytes",
    );
    assertEquals(await points(), ["b/m/a 1 1"]);
  });
});

Deno.test("serve http write: keys as token, bearer or password; capabilities and prefixes", async () => {
  const apiKeys = [
    { key: "all", capabilities: ["insert"] as const },
    { key: "some", capabilities: ["insert"] as const, collectionPrefixes: ["grid/cpu/"] },
    { key: "read", capabilities: ["read"] as const },
  ];
  await withWriter({ apiKeys }, async ({ base, post, points }) => {
    const url = "/api/v2/write?bucket=grid";
    const as = (authorization: string) => post(url, "m v=1 1", { authorization });
    assertEquals((await post(url, "m v=1 1"))[0], 401);
    assertEquals((await as("Token wrong"))[0], 401);
    assertEquals((await as("Basic !!"))[0], 401);
    assertEquals((await as("Token read"))[0], 403);
    assertEquals(await points(), []);
    for (const form of ["Token all", "bearer all", `Basic ${btoa("any:all")}`]) {
      assertEquals((await as(form))[0], 204);
    }
    const body = "m v=2 1\ncpu,host=a v=1 1\n";
    const [status, text] = await post(url, body, { authorization: "Token some" });
    assertEquals(status, 403);
    assertStringIncludes(errorOf(text), 'user does not have permission "insert" on "grid/m"');
    assertEquals(await points(), ["grid/cpu/a/v 1 1", "grid/m/v 1 1"]);
    assertEquals((await post("/write?db=grid&u=any&p=all", "m v=1"))[0], 401);
    const [refused, why] = await post("/write?db=grid&p=x", "m v=1", {
      authorization: "Token all",
    });
    assertEquals(refused, 400);
    assertStringIncludes(errorOf(why), "a password or key in a URL is not taken");
    assertEquals((await fetch(`${base}/ping`)).status, 204);
  });
});

Deno.test("serve http write: parameters that are missing, unknown or repeated are named", async () => {
  await withWriter({}, async ({ base, post }) => {
    for (
      const [path, why] of [
        ["/write", "db is required"],
        ["/write?db=", "db is required"],
        ["/api/v2/write?org=x", "bucket is required"],
        ["/write?db=a&db=b", "parameter db is given more than once"],
        // All such names became one, `\ufffd`, and so did their streams.
        ["/write?db=%ff", "the query is not percent-encoded UTF-8"],
        ["/api/v2/write?bucket=a%c0%af", "the query is not percent-encoded UTF-8"],
        [
          "/write?db=a&extra_label=x",
          'unknown parameter "extra_label"; expected db, precision, rp',
        ],
        ["/api/v3/write_lp?db=a&accept_partial=false", "accept_partial=false is not supported"],
      ] as const
    ) {
      const [status, text] = await post(path, "m v=1 1");
      assertEquals(status, 400, path);
      assertStringIncludes(errorOf(text), why);
    }
    const response = await fetch(`${base}/write?db=a`);
    await response.body?.cancel();
    assertEquals([response.status, response.headers.get("allow")], [405, "POST"]);
  });
});

Deno.test("serve http write: maxStreams bounds the streams that are made, known ones go on", async () => {
  await withWriter({ http: { port: 0, write: { maxStreams: 2 } } }, async ({ post, points }) => {
    assertEquals((await post("/write?db=b", "m,id=1 v=1 1\nm,id=2 v=1 1"))[0], 204);
    const [status, text] = await post("/write?db=b", "m,id=3 v=1 1\nm,id=2 v=2 2");
    assertEquals(status, 400);
    assertStringIncludes(errorOf(text), "it would make more than 2 streams since the server began");
    assertEquals(await points(), ["b/m/1/v 1 1", "b/m/2/v 1 1", "b/m/2/v 2 2"]);
  });
});

Deno.test("serve http write: two series never become one stream in silence", async () => {
  const http = { port: 0, write: { collection: "x/{measurement}" } };
  await withWriter({ http }, async ({ post, points }) => {
    assertEquals((await post("/write?db=b", "m,host=a v=1 1"))[0], 204);
    const [status, text] = await post("/write?db=b", "m,host=b v=2 1\nm,host=a v=3 2");
    assertEquals(status, 400);
    assertStringIncludes(errorOf(text), "does the template leave out a tag?");
    assertEquals(await points(), ["x/m/v 1 1", "x/m/v 2 3"]);
    // The order of tags in a line makes no other series.
    assertEquals((await post("/write?db=b", "o,a=1,b=2 v=1 1\no,b=2,a=1 v=2 1"))[0], 204);
    assert((await points()).includes("x/o/v 1 2"));
  });
});

Deno.test("serve http write: a stream that is there is used, an obliterated one is made anew", async () => {
  await withWriter({}, async ({ db, post, points }) => {
    const made = await db.create(crypto.randomUUID(), "g/m/a", { tags: { name: "v", unit: "V" } });
    assertEquals((await post("/write?db=g", "m,host=a v=1 1"))[0], 204);
    assertEquals(await points(), ["g/m/a/v 1 1"]);
    await made.obliterate();
    assertEquals((await post("/write?db=g", "m,host=a v=2 2"))[0], 204);
    assertEquals(await points(), ["g/m/a/v 2 2"]);
  });
});

Deno.test("serve http write: CREATE DATABASE is answered, other queries are refused", async () => {
  await withWriter({}, async ({ post }) => {
    const done = '{"results":[{"statement_id":0}]}\n';
    assertEquals(await post("/query?q=CREATE+DATABASE+%22a+b%22", ""), [200, done]);
    const empty = { "content-encoding": "gzip" };
    assertEquals(await post("/query?q=create%20database%20x", "", empty), [200, done]);
    const form = { "content-type": "application/x-www-form-urlencoded" };
    assertEquals(await post("/query", "q=CREATE+DATABASE+%22x%22", form), [200, done]);
    assertEquals((await post("/query?q=SELECT+*+FROM+m", ""))[0], 400);
    assertEquals((await post("/query?q=CREATE+DATABASE+x;DROP+DATABASE+y", ""))[0], 400);
    assertEquals((await post("/query", ""))[0], 400);
  });
});

Deno.test("serve http write: nothing is under its paths unless it is asked for", async () => {
  await withWriter({ http: { port: 0 } }, async ({ post }) => {
    assertEquals((await post("/write?db=b", "m v=1"))[0], 404);
  });
});

Deno.test("CollectionTemplate: placeholders, parts that come to nothing, and mistakes", () => {
  const expand = (template: string, tags: [string, string][] = [["a", "1"], ["b", "2"]]) =>
    new CollectionTemplate(template).expand(
      { bucket: "grid", org: "", rp: "" },
      { measurement: "cpu", tags: new Map(tags) },
    );
  assertEquals(expand("{bucket}/{measurement}/{tags}"), "grid/cpu/1/2");
  assertEquals(expand("{bucket}/{measurement}/{tags}", []), "grid/cpu");
  assertEquals(expand("pmu/{org}/{tag.b}/x-{measurement}/{tags}"), "pmu/2/x-cpu/1");
  for (const bad of ["", "fixed", "{bucket", "bucket}", "{host}", "{tag.}", "{}"]) {
    assertThrows(() => new CollectionTemplate(bad), TypeError, JSON.stringify(bad));
  }
});

Deno.test("serve http write: the bytes of all bodies under way are bounded, the next one is taken", async () => {
  await withWriter({ limits: { messageBytes: 1_000 } }, async ({ server, post, points }) => {
    const head = "POST /write?db=b HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\n";
    const sockets: Socket[] = [];
    let refused = 0;
    // 32 largest bodies may be under way, of all connections together.
    const isRefused = new Promise<void>((resolve) => {
      for (let i = 0; i < 40; i++) {
        const socket = connectTcp(server.httpPort!, "127.0.0.1", () => {
          socket.write(head + "#".repeat(990));
        });
        socket.on("error", () => {});
        socket.on("data", (bytes) => {
          if (!String(bytes).startsWith("HTTP/1.1 413")) return;
          if (++refused === 8) resolve();
        });
        sockets.push(socket);
      }
    });
    await isRefused;
    const closed = sockets.map((socket) => new Promise((done) => socket.on("close", done)));
    for (const socket of sockets) socket.destroy();
    await Promise.all(closed);
    let status = 0;
    while (status !== 204) [status] = await post("/write?db=b", "m v=1 1");
    assertEquals([refused, await points()], [8, ["b/m/v 1 1"]]);
  });
});

Deno.test("serve http write: a client that goes away in its body leaves nothing behind", async () => {
  await withWriter({}, async ({ server, post, points }) => {
    const head = "POST /write?db=b HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n" +
      "expect: 100-continue\r\n\r\n";
    const socket = connectTcp(server.httpPort!, "127.0.0.1", () => socket.write(head));
    socket.on("error", () => {});
    const isOver = () => server.metrics().includes('service="influx",rpc="Write",code="499"');
    // The server says that it has seen the head.
    await new Promise<void>((resolve) => socket.once("data", () => resolve()));
    socket.end("m v=1 1\n");
    socket.destroy();
    await until("the request is over", isOver);
    assertEquals(await points(), []);
    assertEquals((await post("/write?db=b", "m v=2 2"))[0], 204);
    assertEquals(await points(), ["b/m/v 2 2"]);
  });
});
