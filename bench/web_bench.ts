/**
 * gRPC-Web beside gRPC: the same database behind both ports of `serve`, in a process of its own. At the
 * end of the job with many points is said what a run took: time, CPU time of client and server together,
 * bytes a point on the wire. The points are a sine with noise in all bits of the double, which compresses
 * little.
 */

import { type BTrDB, type CallEvent, connect } from "../mod.ts";
import { Chromium, findChromium, type Page } from "../tests/support/chromium.ts";
import { ServerProcess } from "../tests/support/server_process.ts";
import { bundleFor, Site, strictPolicy } from "../tests/support/web_bundle.ts";
import { cpuMs } from "./support/cpu.ts";
import { START, STEP } from "./support/data.ts";
import { job } from "./support/job.ts";
import { UUID } from "./support/served.ts";
import { WATCHED_END, type WatchedServer, watchedServer } from "./support/watched_server.ts";

const POINTS = 10_000_000;
const END = START + BigInt(POINTS) * STEP;
const CALLS = 200;

/** A server, and clients by both protocols. */
interface Served {
  readonly server: ServerProcess;
  readonly web: BTrDB;
  readonly grpc: BTrDB;
  /** Costs of each run, by the name of its entry. */
  readonly costs: Map<string, Cost[]>;
  /** Bytes of the messages of the last call from Deno. */
  readonly counted: { bytes: number };
}

/** Costs of a run. */
interface Cost {
  readonly wallMs: number;
  /** Of client and server. */
  readonly cpuMs: number;
  /** Absent where it was not counted. */
  readonly bytes?: number;
}

function note({ costs }: Served, name: string, cost: Cost): void {
  costs.set(name, [...costs.get(name) ?? [], cost]);
}

async function serving(points: number): Promise<Served> {
  const server = await ServerProcess.start("bench/support/serve_file.ts", [String(points)]);
  const counted = { bytes: 0 };
  const onEnd = ({ responseBytes }: CallEvent) => void (counted.bytes = responseBytes);
  return {
    server,
    web: await connect(`grpc-web://127.0.0.1:${server.ports[1]}`, { hooks: { onEnd } }),
    grpc: await connect(server.address, { hooks: { onEnd } }),
    costs: new Map(),
    counted,
  };
}

async function ending({ server, web, grpc }: Served): Promise<void> {
  await web.close();
  await grpc.close();
  await server[Symbol.asyncDispose]();
}

/** Reads the whole stream in columns, and takes note of what that took. */
async function read(served: Served, name: "web" | "grpc"): Promise<void> {
  const { server } = served;
  const before = cpuMs(server.pid) + cpuMs(Deno.pid);
  const start = performance.now();
  let n = 0;
  for await (const { times } of served[name].streamFromUUID(UUID).rawValues(START, END)) {
    n += times.length;
  }
  if (n !== POINTS) throw new Error(`${n} points, not ${POINTS}`);
  const wallMs = performance.now() - start;
  const spent = cpuMs(server.pid) + cpuMs(Deno.pid) - before;
  note(served, name, { wallMs, cpuMs: spent, bytes: served.counted.bytes });
}

/** CPU time of all processes of a browser, ms. */
async function browserCpuMs(browser: Chromium): Promise<number> {
  const { processInfo } = await browser.send("SystemInfo.getProcessInfo", {});
  const processes = processInfo as { cpuTime: number }[];
  return 1000 * processes.reduce((sum, { cpuTime }) => sum + cpuTime, 0);
}

/** Has a page read the whole stream, and takes note of what that took. */
async function readInPage(served: Served & { browsing: Browsing | undefined }): Promise<void> {
  const { server } = served;
  const { browser, page } = served.browsing!;
  const before = cpuMs(server.pid) + await browserCpuMs(browser);
  const start = performance.now();
  const n = await page.value<number>("read()");
  if (n !== POINTS) throw new Error(`${n} points, not ${POINTS}`);
  const wallMs = performance.now() - start;
  const spent = Math.round(cpuMs(server.pid) + await browserCpuMs(browser) - before);
  note(served, "Chromium", { wallMs, cpuMs: spent });
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;
}

/** Says the medians of what the runs took, beside those of gRPC. */
function sayCosts(costs: ReadonlyMap<string, readonly Cost[]>): void {
  const grpcMs = median(costs.get("grpc")!.map(({ wallMs }) => wallMs));
  for (const [name, runs] of costs) {
    const wallMs = median(runs.map(({ wallMs }) => wallMs));
    const cpu = median(runs.map(({ cpuMs }) => cpuMs));
    const bytes = runs[0]!.bytes;
    const wire = bytes === undefined ? "" : `, ${(bytes / POINTS).toFixed(2)} bytes a point`;
    // deno-lint-ignore no-console -- a figure of the bench
    console.error(
      `  a run, ${name}: ${Math.round(wallMs)} ms, ${
        (grpcMs / wallMs).toFixed(2)
      } × as fast as grpc-js; ` +
        `CPU of client and server ${cpu} ms${wire}`,
    );
  }
}

/** A page that reads when it is told to. */
interface Browsing {
  readonly site: Site;
  readonly browser: Chromium;
  readonly page: Page;
}

async function browsing(served: Served): Promise<Browsing> {
  const target = `http://127.0.0.1:${served.server.ports[1]}`;
  const site = await Site.open();
  const program = `
    import { connect } from "@btrdb/btrdb/web";
    const db = await connect("${target}");
    Object.assign(globalThis, { async read() {
      let n = 0;
      for await (const { times } of db.streamFromUUID("${UUID}").rawValues(${START}n, ${END}n)) {
        n += times.length;
      }
      return n;
    } });`;
  site.show(await bundleFor(program), strictPolicy(target));
  const browser = await Chromium.start(chromium!);
  const page = await browser.page();
  await page.open(site.origin);
  await page.until("globalThis.read");
  return { site, browser, page };
}

const chromium = findChromium("reading in a page");

job({
  name: "raw read of 10 M points from serve, into columns",
  work: { count: POINTS, unit: "points" },
  setup: async () => {
    const served = await serving(POINTS);
    return { ...served, browsing: chromium === undefined ? undefined : await browsing(served) };
  },
  teardown: async (state) => {
    sayCosts(state.costs);
    await state.browsing?.browser[Symbol.asyncDispose]();
    await state.browsing?.site[Symbol.asyncDispose]();
    await ending(state);
  },
  entries: [
    { name: "gRPC-Web over fetch", run: (state) => read(state, "web") },
    { name: "gRPC, grpc-js", atLeast: 2, run: (state) => read(state, "grpc") },
    ...(chromium === undefined ? [] : [{
      name: "gRPC-Web in headless Chromium",
      run: readInPage,
    }]),
  ],
});

job({
  name: "nearest, one call after the other",
  work: { count: 1, unit: "calls" },
  setup: () => serving(100_000),
  teardown: ending,
  calls: CALLS,
  entries: (["web", "grpc"] as const).map((name) => ({
    name: name === "web" ? "gRPC-Web over fetch" : "gRPC, grpc-js",
    run: (served: Served) => served[name].streamFromUUID(UUID).nearest(START + STEP * 5n),
  })),
});

/** Opens a query, takes its first points, gives it up, and waits until the server's has ended. */
async function giveUp({ ended, ...watched }: WatchedServer, name: "web" | "grpc"): Promise<void> {
  const over = ended();
  for await (const _ of watched[name].streamFromUUID(UUID).rawValues(START, WATCHED_END)) break;
  await over;
}

/** The same by URL. */
async function giveUpUrl({ ended, server }: WatchedServer): Promise<void> {
  const over = ended();
  const url = `http://127.0.0.1:${server.httpPort}/api/v1/data.csv?stream=${UUID}`;
  const reader = (await fetch(url)).body!.getReader();
  await reader.read();
  await reader.cancel();
  await over;
}

job({
  name: "a query that is given up after its first points, until the server's has ended",
  work: { count: 1, unit: "queries" },
  setup: watchedServer,
  teardown: async (watched) => await watched[Symbol.asyncDispose](),
  calls: CALLS,
  goalP99Ms: 100,
  entries: [
    { name: "gRPC-Web over fetch", run: (watched) => giveUp(watched, "web") },
    { name: "gRPC, grpc-js", run: (watched) => giveUp(watched, "grpc") },
    { name: "CSV by URL", run: giveUpUrl },
  ],
});

/** Tabs, each with a query that it does not read on; a browser has six connections to a server. */
const TABS = 5;

if (chromium !== undefined) {
  job({
    name: "a tab that is closed while it reads, until the server's query has ended",
    work: { count: 1, unit: "tabs" },
    goalMs: 100,
    setup: async () => {
      const watched = await watchedServer();
      const target = `http://127.0.0.1:${watched.server.httpPort}`;
      const site = await Site.open();
      const program = `
        import { connect } from "@btrdb/btrdb/web";
        const query = (await connect("${target}")).streamFromUUID("${UUID}").rawValues(${START}n, ${WATCHED_END}n);
        await query[Symbol.asyncIterator]().next();
        globalThis.isReading = true;`;
      site.show(await bundleFor(program), strictPolicy(target));
      const browser = await Chromium.start(chromium);
      const pages: Page[] = [];
      for (let i = 0; i < TABS; i++) {
        const page = await browser.page();
        await page.open(site.origin);
        await page.until("globalThis.isReading");
        pages.push(page);
      }
      return { watched, site, browser, pages };
    },
    teardown: async ({ watched, site, browser }) => {
      await browser[Symbol.asyncDispose]();
      await site[Symbol.asyncDispose]();
      await watched[Symbol.asyncDispose]();
    },
    entries: [{
      name: "headless Chromium",
      rounds: TABS,
      run: async ({ watched, pages }) => {
        const over = watched.ended();
        await pages.pop()!.close();
        await over;
      },
    }],
  });
}
