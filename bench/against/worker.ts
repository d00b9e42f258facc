/**
 * Works in one checkout for `main.ts`, with that checkout's import map:
 *
 *     worker.ts CHECKOUT embedded | serve | ADDRESS
 *
 * It has a database in a file, or serves one, or is the client of an address. It answers each line of
 * standard input with a line of JSON: `cpu`, or `CASE TIMES` after that work is done.
 *
 * @module
 */

import { cpuUsage } from "node:process";
import { pathToFileURL } from "node:url";
import { CASES, Streams } from "./cases.ts";

const [checkout, target] = Deno.args as [string, string];
const load = (module: string) => import(pathToFileURL(`${checkout}/${module}`).href);

function say(answer: unknown): void {
  // deno-lint-ignore no-console -- the answer
  console.log(JSON.stringify(answer));
}

/** CPU time of this process and all its threads, ms. */
function cpuMs(): number {
  const { user, system } = cpuUsage();
  return (user + system) / 1000;
}

const folder = await Deno.makeTempDir({ prefix: "btrdb-against-" });
const isRemote = target !== "embedded" && target !== "serve";
const { connect } = await load("mod.ts");
const db = await connect(isRemote ? target : `file:${folder}/against.btrdb`);
const server = target === "serve"
  ? await (await load("src/server/mod.ts")).serve(db, { port: 0 })
  : undefined;
const streams = server === undefined ? await Streams.create(db) : undefined;
say(server?.port ?? 0);

async function answer(line: string): Promise<unknown> {
  if (line === "cpu") return cpuMs();
  const [name, times] = line.split(" ");
  const { run } = CASES.find((one) => one.name === name)!;
  const [began, beganCpu] = [performance.now(), cpuMs()];
  await run(streams!, Number(times));
  return { wallMs: performance.now() - began, cpuMs: cpuMs() - beganCpu };
}

let rest = "";
for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + text).split("\n");
  rest = lines.pop()!;
  for (const line of lines) say(await answer(line));
}
await server?.stop({ graceful: false });
await db.close();
await Deno.remove(folder, { recursive: true });
Deno.exit(0);
