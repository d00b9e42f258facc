/** Data by URL: formats, windows, times, parameters, lists, and the document of them. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Validator } from "@seriousme/openapi-schema-validator";
import { formatTime, MAX_TIME, MIN_TIME } from "@btrdb/btrdb";
import { readArrow } from "@btrdb/btrdb/arrow";
import { columnsOf, CSV, ROWS, SECOND, T, withData } from "../../support/data_by_url.ts";

/** A stream that is not there. */
const MISSING = "b4c6f7a0-5b4e-4f0c-9d55-0a6d4c6f0d11";

Deno.test("data by URL: every format has the same points", () =>
  withData(async ({ a, b, get, text }) => {
    const [rawA, rawB] = await Promise.all(
      [a, b].map((stream) => stream.rawValues(MIN_TIME, MAX_TIME - 1n).collect()),
    );
    const right = {
      "pmu/s7/a": { times: [...rawA!.times], values: [...rawA!.values] },
      "pmu/s7/b": { times: [...rawB!.times], values: [...rawB!.values] },
    };
    const both = "stream=pmu/s7/a&stream=pmu/s7/b";
    const file = await get(`/api/v1/data.parquet?${both}`);
    assertEquals(await columnsOf(new Uint8Array(await file.arrayBuffer())), right);
    const stream = await get(`/api/v1/data.arrow?${both}`);
    const found: typeof right = { "pmu/s7/a": none(), "pmu/s7/b": none() };
    for await (const batch of readArrow(stream.body!)) {
      for (const { label, times, values } of batch) {
        found[label as keyof typeof right].times.push(...times);
        found[label as keyof typeof right].values.push(...values);
      }
    }
    assertEquals(found, right);
    const rows = (await text(`/api/v1/data.ndjson?${both}&time=ns`)).trim().split("\n")
      .map((line) => JSON.parse(line));
    assertEquals(JSON.parse(await text(`/api/v1/data.json?${both}&time=ns`)), rows);
    for (const [label, { times, values }] of Object.entries(right)) {
      const own = rows.filter((row) => row[label] !== undefined);
      assertEquals(own.map(({ time }) => BigInt(time)), times);
      assertEquals(own.map((row) => row[label]), values);
    }
    const [head, ...lines] = (await text(`/api/v1/data.csv?${both}`)).trim().split("\n");
    assertEquals(head, "Timestamp (ns),Human-Readable Time (UTC),pmu/s7/a,pmu/s7/b");
    assertEquals(lines.length, 2 * ROWS);
    assertEquals(lines[1], `${T + 1n},2026-01-01T00:00:00.000000001Z,,-1500`);
  }));

const none = () => ({ times: [] as bigint[], values: [] as number[] });

/** Tells −0 from 0. */
const signed = (x: number | null | undefined) => Object.is(x, -0) ? "-0" : String(x);

Deno.test("data by URL: the sign of zero is in every format, of points and of windows", () =>
  withData(async ({ db, get, text }) => {
    // Text had 0 for it, so that formats gave other numbers for the same point.
    const stream = await db.create(crypto.randomUUID(), "odd", { tags: { name: "zero" } });
    await stream.insert([[T, -0], [T + 1n, 0], [T + 2n, 5e-324], [T + 3n, -1.5]]);
    await stream.flush();
    const url = (format: string, more = "") =>
      `/api/v1/data.${format}?stream=odd/zero&time=ns${more}`;
    const expected = ["-0", "0", "5e-324", "-1.5"];
    const lines = async (more: string) =>
      (await text(url("csv", more))).trim().split("\n").slice(1).map((line) => line.split(",")[1]);
    assertEquals(await lines(""), expected);
    assertEquals(await lines("&pointwidth=0"), expected);
    for (const [more, key] of [["", "odd/zero"], ["&width=1", "odd/zero (Min)"]] as const) {
      const rows: Record<string, number>[] = JSON.parse(await text(url("json", more)));
      assertEquals(rows.map((row) => signed(row[key])), expected);
      assertEquals(
        JSON.parse(`[${(await text(url("ndjson", more))).trim().replaceAll("\n", ",")}]`),
        rows,
      );
    }
    const bytes = new Uint8Array(await (await get(url("parquet"))).arrayBuffer());
    assertEquals((await columnsOf(bytes))["odd/zero"]!.values.map(signed), expected);
  }));

Deno.test("data by URL: windows by points, width and pointwidth", () =>
  withData(async ({ a, text }) => {
    const range = `start=${T}&end=${T + 100n * SECOND}`;
    const lines = async (query: string) =>
      (await text(`${CSV}&${range}&time=ns&${query}`)).trim().split("\n");
    const width = await lines("width=10s");
    assertEquals(width[0], "time,pmu/s7/a (Min),pmu/s7/a (Mean),pmu/s7/a (Max),pmu/s7/a (Count)");
    const windows = await a.windows(T, T + 100n * SECOND, 10n * SECOND).collect();
    assertEquals(
      width.slice(1),
      Array.from(
        windows.times,
        (time, i) =>
          [time, windows.min[i], windows.mean[i], windows.max[i], windows.count[i]].join(),
      ),
    );
    assertEquals(await lines("points=10"), width);
    assertEquals((await lines("points=3")).length, 4);
    assertEquals(await lines("width=10000000000"), width);
    const aligned = await a.alignedWindows(T, T + 100n * SECOND, 33).collect();
    assertEquals((await lines("pointwidth=33")).length, 1 + aligned.times.length);
    assertEquals(await lines("pointwidth=10s"), await lines("pointwidth=33"));
    const [window] = JSON.parse(
      await text(`/api/v1/data.json?stream=pmu/s7/a&start=${T - 10n * SECOND}&end=${T}&width=10s`),
    );
    assertEquals(window, { time: "2025-12-31T23:59:50.000000000Z", "pmu/s7/a (Count)": 0 });
  }));

Deno.test("data by URL: times in every form and zone", () =>
  withData(async ({ get, text }) => {
    const times = async (query: string) =>
      (await text(`${CSV}&${query}`)).trim().split("\n").slice(1).map((line) => line.split(",")[0]);
    const at = formatTime(T + 5n * SECOND);
    assertEquals(await times(`start=${at}&end=%2B1s&time=ns`), [String(T + 5n * SECOND)]);
    assertEquals(await times(`start=${at}&end=+1s&time=ns`), [String(T + 5n * SECOND)]);
    assertEquals(await times(`from=1767225605000&to=1767225606000&time=ns`), [
      String(T + 5n * SECOND),
    ]);
    assertEquals(await times("start=2026-01-01T01:00:05+01:00&end=+1s&time=rfc3339"), [at]);
    assertEquals(
      await times("start=2026-01-01T01:00:05&end=+1s&time=rfc3339&tz=Europe/Berlin"),
      ["2026-01-01T01:00:05.000000000+01:00"],
    );
    assertEquals(await times("start=first+5s&end=+1s&time=naive&tz=-03:30"), [
      "2025-12-31T20:30:05.000000000",
    ]);
    assertEquals((await times("start=last-2s")).length, 3);
    assertEquals(await times("start=now-1h"), []);
    const { headers, body } = await get(`${CSV}&start=1767225605000&end=1767225606000`);
    await body!.cancel();
    assertStringIncludes(headers.get("btrdb-note")!, "integers are ns since 1970");
    // A year and a date without hyphens are integers too; they were read as ns without a word.
    for (
      const [start, note] of [
        ["2026", "start 2026 is 1970-01-01T00:00:00.000002026Z: integers are ns since 1970"],
        [
          "20260101",
          "start 20260101 is 1970-01-01T00:00:00.020260101Z: integers are ns since 1970",
        ],
        // The note had the blanks too, which no header may have: the connection broke off.
        [
          "%0A20260101%E3%80%80",
          "start 20260101 is 1970-01-01T00:00:00.020260101Z: integers are ns since 1970",
        ],
        ["0", null],
      ]
    ) {
      const noted = await get(`${CSV}&start=${start}&points=2`, { method: "HEAD" });
      assertEquals([start, noted.headers.get("btrdb-note")], [start, note]);
    }
    const local = await columnsOf(
      new Uint8Array(
        await (await get("/api/v1/data.parquet?stream=pmu/s7/a&time=ns")).arrayBuffer(),
      ),
    );
    assertEquals(local["pmu/s7/a"]!.times[7], T + 7n * SECOND);
  }));

Deno.test("data by URL: parameters that are wrong are named, never ignored", () =>
  withData(async ({ failure }) => {
    const wrong: [string, number, number, string][] = [
      ["", 400, 421, 'missing parameter "stream"'],
      ["?stream=pmu/s7/a&strat=1", 400, 421, 'unknown parameter "strat": did you mean start?'],
      ["?stream=pmu/s7/a&key=secret", 400, 421, 'unknown parameter "key": expected start, end'],
      ["?stream=pmu/s7/a&start=1&start=2", 400, 421, 'parameter "start" is given 2 times'],
      ["?stream=pmu/s7/a&points=1&width=1s", 400, 421, '"points" and "width" are both given'],
      ["?stream=pmu/s7/a&start=1&from=2", 400, 421, '"start" and "from" are both given'],
      ["?stream=pmu/s7/a&points=0", 400, 421, 'points is "0", expected 1 to 1000000'],
      ["?stream=pmu/s7/a&points=1e3", 400, 421, 'points is "1e3"'],
      ["?stream=pmu/s7/a&width=0", 400, 415, 'width is "0"'],
      ["?stream=pmu/s7/a&width=1.5ns", 400, 415, 'width is "1.5ns"'],
      ["?stream=pmu/s7/a&pointwidth=64", 400, 415, 'pointwidth is "64", expected an exponent'],
      ["?stream=pmu/s7/a&start=soon", 400, 421, 'start is "soon", expected a time'],
      ["?stream=pmu/s7/a&start=2026-02-30", 400, 421, 'start is "2026-02-30"'],
      ["?stream=pmu/s7/a&from=1.5", 400, 421, 'from is "1.5", expected a whole number of ms'],
      ["?stream=pmu/s7/a&start=9999-01-01", 400, 413, 'start is "9999-01-01", expected 1933'],
      ["?stream=pmu/s7/a&start=2&end=1", 400, 413, "is not before end"],
      // The server's own text for these was "start time >= end time", of a range that was not so.
      ["?stream=pmu/s7/a&start=0&end=9&width=10", 400, 413, "no whole window of 10 ns is between"],
      ["?stream=pmu/s7/a&start=1&end=15&pointwidth=4", 400, 413, "no whole window of 16 ns"],
      ["?stream=pmu/s7/a&pointwidth=63", 400, 413, "no whole window of 9223372036854775808 ns"],
      ["?stream=pmu/s7/a&version=x", 400, 421, 'version is "x"'],
      ["?stream=pmu/s7/*&version=11", 400, 421, "version has 1 of the numbers of 2 streams"],
      ["?stream=pmu/s7/a&tz=Mars/Base", 400, 421, 'tz is "Mars/Base", expected a time zone'],
      ["?stream=pmu/s7/a&time=unix", 400, 421, 'time is "unix", expected rfc3339, ns, naive'],
      ["?stream=pmu/s7/a&label=x", 400, 421, 'label is "x", expected path, name, uuid'],
      ["?stream=%ff", 400, 421, "not percent-encoded UTF-8"],
      ["?stream=", 404, 404, 'there is no stream ""'],
      ["?stream=pmu/s7/c", 404, 404, 'there is no stream "pmu/s7/c"'],
      ["?stream=pmu/s8/*", 404, 404, 'no streams in collection "pmu/s8"'],
      [`?stream=${MISSING}`, 404, 404, `there is no stream "${MISSING}"`],
      ["?stream=pmu/s7/a&version=99", 404, 404, 'version is "99", which the stream does not have'],
      ["?stream=pmu/s7/*&version=0,99&start=1&end=2", 404, 404, 'version is "0,99", which some of'],
    ];
    for (const format of ["csv", "parquet"]) {
      for (const [query, status, code, message] of wrong) {
        const found = await failure(`/api/v1/data.${format}${query}`);
        assertEquals([query, found[0], found[1]], [query, status, code]);
        assertStringIncludes(found[2], message);
      }
    }
  }));

Deno.test("data by URL: a version that there is not is not answered with another one", () =>
  withData(async ({ db, get, failure }) => {
    const stream = await db.create(crypto.randomUUID(), "new", { tags: { name: "n" } });
    await stream.insert([[T, 1]]);
    for (const format of ["csv", "parquet", "arrow"]) {
      for (const range of ["", `&start=${T}&end=${T + 1n}`, "&points=3"]) {
        const url = `/api/v1/data.${format}?stream=new/n${range}`;
        assertEquals((await failure(`${url}&version=77`)).slice(0, 2), [404, 404]);
        const latest = await get(`${url}&version=${2n ** 64n - 1n}`);
        assertEquals([latest.status, latest.headers.get("cache-control")], [
          200,
          "public, no-cache",
        ]);
        await latest.body!.cancel();
      }
    }
  }));

Deno.test("data by URL: lists and single streams", () =>
  withData(async ({ db, a, text, failure }) => {
    await db.create(crypto.randomUUID(), "x/y", { tags: { name: "päth", phase: "A" } });
    const names = async (query: string) =>
      JSON.parse(await text(`/api/v1/streams${query}`)).map(({ path }: { path: string }) => path)
        .sort();
    assertEquals(await names(""), ["pmu/s7/a", "pmu/s7/b", "x/y/päth"]);
    assertEquals(await names("?prefix=pmu"), ["pmu/s7/a", "pmu/s7/b"]);
    assertEquals(await names("?collection=pmu"), []);
    assertEquals(await names("?tag.phase=A"), ["x/y/päth"]);
    assertEquals(await names("?tag.phase=A&tag.name=q"), []);
    assertEquals(JSON.parse(await text("/api/v1/collections")), ["pmu/s7", "x/y"]);
    assertEquals(JSON.parse(await text("/api/v1/collections?prefix=q")), []);
    const one = JSON.parse(await text("/api/v1/streams/pmu/s7/a"));
    assertEquals(one.uuid, a.uuid);
    assertEquals(one.unit, "volts");
    assertEquals(one.version, Number(await a.version()));
    assertEquals(one.first, { time: "2026-01-01T00:00:00.000000000Z", value: -50 });
    assertEquals(JSON.parse(await text(`/api/v1/streams/${a.uuid}`)), one);
    assertEquals(JSON.parse(await text("/api/v1/streams/x%2Fy%2Fp%C3%A4th")).first, null);
    assertEquals((await failure("/api/v1/streams/x/z")).slice(0, 2), [404, 404]);
    assertEquals((await failure("/api/v1/streams/%ff"))[0], 400);
    assertEquals((await failure("/api/v1/streams?tag=A"))[0], 400);
    assertEquals((await failure("/api/v1/streams?prefix=a&collection=b"))[0], 400);
    assertEquals(await text("/api/v1/data.csv?stream=x/y/p%C3%A4th&time=ns"), "time,x/y/päth\n");
  }));

/** Every path and method of the document. */
interface OpenApi {
  openapi: string;
  paths: Record<string, Record<string, { parameters: { name: string; in: string }[] }>>;
}

Deno.test("openapi: the document is valid, and describes the routes and their parameters", () =>
  withData(async ({ a, get, failure, text }) => {
    const document: OpenApi = JSON.parse(await text("/openapi.json"));
    assertEquals(document.openapi.slice(0, 3), "3.1");
    const checked = await new Validator().validate(structuredClone(document) as never);
    assert(checked.valid, JSON.stringify(checked));
    for (const [path, methods] of Object.entries(document.paths)) {
      assertEquals(Object.keys(methods), ["get", "head"]);
      const real = path.replace("{stream}", a.uuid);
      const query = real.includes("/data.") ? `?stream=${a.uuid}` : "";
      for (const method of ["GET", "HEAD"]) {
        const response = await get(real + query, { method });
        assertEquals([path, response.status], [path, 200]);
        await response.body?.cancel();
      }
      const refused = await get(real, { method: "POST" });
      assertEquals([path, refused.status], [path, 405]);
      await refused.body?.cancel();
      // The error of an unknown parameter names those there are.
      const [, , message] = await failure(`${real}?0123456789=`);
      const described = methods["get"]!.parameters.filter((parameter) => parameter.in === "query")
        .map(({ name }) => name === "tag" || name === "annotation" ? `${name}.KEY` : name);
      const named = /expected (.*)$/.exec(message)![1]!;
      assertEquals(named === "none" ? [] : named.split(", ").sort(), described.sort());
    }
    // A client made from the document sends the properties of an exploded object by their names.
    const { parameters } = document.paths["/api/v1/streams"]!["get"]!;
    for (const name of ["tag", "annotation"]) {
      const { schema } = parameters.find((parameter) => parameter.name === name)! as {
        schema?: { propertyNames: { pattern: string }; examples: Record<string, string>[] };
      };
      const [[key, value]] = Object.entries(schema!.examples[0]!) as [[string, string]];
      assert(new RegExp(schema!.propertyNames.pattern).test(key), key);
      const found = JSON.parse(await text(`/api/v1/streams?${key}=${value}`));
      assertEquals([key, found.length], [key, name === "tag" ? 2 : 0]);
    }
  }));

Deno.test("data by URL: the requests of Grafana's Infinity source, ms in and ns kept", () =>
  withData(async ({ b, get }) => {
    const panel = "/api/v1/data.json?stream=pmu%2Fs7%2Fb&from=${__from}&to=${__to}" +
      "&points=${__maxDataPoints}";
    const [from, to, most] = [1767225600000, 1767226200000, 37];
    const url = panel.replace("${__from}", String(from)).replace("${__to}", String(to));
    const asked = (points: string) =>
      get(url.replace("${__maxDataPoints}", points), {
        headers: { accept: "application/json", "user-agent": "Grafana/12.1.0" },
      });
    const rows: Record<string, number | string>[] = await (await asked(String(most))).json();
    assert(rows.length <= most && rows.length > most / 2, `${rows.length} rows`);
    const [start, end] = [BigInt(from) * 1_000_000n, BigInt(to) * 1_000_000n];
    const width = (end - start + BigInt(most) - 1n) / BigInt(most);
    const windows = await b.windows(start, start + BigInt(most) * width, width).collect();
    assertEquals(rows.map(({ time }) => time), Array.from(windows.times, formatTime));
    assertEquals(rows.map((row) => row["pmu/s7/b (Mean)"]), [...windows.mean]);
    assertEquals(rows.map((row) => row["pmu/s7/b (Count)"]), Array.from(windows.count, Number));
    const points = await get(
      "/api/v1/data.json?stream=pmu/s7/b&from=1767225601000&to=1767225602000",
    );
    assertEquals(await points.json(), [
      { time: "2026-01-01T00:00:01.000000001Z", "pmu/s7/b": -1497 },
    ]);
    // The variables as they are, where Grafana does not fill them in.
    const raw = await asked("${__maxDataPoints}");
    assertEquals([raw.status, (await raw.json()).error.code], [400, 421]);
  }));
