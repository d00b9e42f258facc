/**
 * Names that are made to deceive, on a terminal: in a database, in files of every kind, in names of
 * files, from a PMU. `script` of util-linux is the terminal.
 */

import { assert, assertEquals } from "@std/assert";
import { connect } from "@btrdb/btrdb";
import {
  encodeConfiguration,
  encodeValues,
  simulatedConfiguration,
  simulatedValues,
} from "../../src/ingest/c37118/mod.ts";
import { DataLayout } from "../../src/ingest/c37118/data_layout.ts";
import { writeParquet } from "../../src/io/parquet.ts";
import { makeComtrade } from "../support/comtrade.ts";
import { simulatePmu } from "../../src/ingest/c37118/mod.ts";
import { upmuFile } from "../support/upmu_file.ts";
import { HANG_MS } from "../support/until.ts";
import { btrdb, commandLine, workspace } from "./support.ts";
import { uuidBytes } from "../../src/core/uuid.ts";
import * as v5 from "../../src/gen/btrdb_v5_pb.ts";
import { bytes } from "../support/grpc/scripted_answers.ts";
import { type Script, ScriptedServer, status } from "../support/grpc/scripted_server.ts";

/** Sequences that clear the screen, set the title, colour, turn text around, end the line. */
const EVIL = "E\x1b[2J\x1b]0;t\x07\x9b31m\u202e\u2066\r\nFORGED line\u2028\x08\x7f";
/** The same for fields in which a comma or a line end ends the field. */
const EVIL_FIELD = "E\x1b[2J\x9b31m\u202e\x08\x7f";
/** 15 bytes: C37.118 has 16. */
const EVIL_15 = "\x1b[2J\nFORGED\x07";

const hasTerminal = await new Deno.Command("script", { args: ["--version"], stdout: "null" })
  .output().then(({ success }) => success, () => false);

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Runs the command on a terminal; what the terminal would be sent. */
async function onTerminal(
  args: readonly string[],
  env: Record<string, string>,
  interruptAfter?: string,
): Promise<string> {
  const line = commandLine(args).map(quoted).join(" ");
  const child = new Deno.Command("script", {
    args: ["-qec", line, "/dev/null"],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
    env: { SHELL: "/bin/sh", NO_COLOR: "", BTRDB_ENDPOINTS: "", COLUMNS: "200", ...env },
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), HANG_MS);
  const input = child.stdin.getWriter();
  if (interruptAfter === undefined) await input.write(new TextEncoder().encode("n\n"));
  let text = "";
  let isAsked = false;
  for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += part;
    if (interruptAfter !== undefined && !isAsked && text.includes(interruptAfter)) {
      isAsked = true;
      await input.write(new Uint8Array([3]));
    }
  }
  await input.close().catch(() => {});
  await child.status;
  clearTimeout(timer);
  return text;
}

/** Fails if there is anything but text, our colours, and the line of progress that is rewritten. */
function assertHarmless(text: string, what: string): void {
  // deno-lint-ignore no-control-regex
  const plain = text.replace(/\x1b\[\d*m|\r[^\r\n]*\x1b\[K|\r*\n|\^C|^n$/gm, (part) => {
    return part.includes("\n") ? "\n" : "";
  });
  const bad = /(?![\n\t])[\p{Cc}\p{Cf}\u2028\u2029]/u.exec(plain);
  assertEquals(bad?.[0], undefined, `${what}:\n${JSON.stringify(text)}`);
  assert(!/^\s*FORGED/m.test(plain), `${what}: a line of its own\n${plain}`);
}

const UUIDS = ["11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"];

async function hostileDatabase(target: string): Promise<void> {
  await using db = await connect(target);
  for (const [k, uuid] of UUIDS.entries()) {
    const stream = await db.create(uuid, `c/${EVIL}`, {
      tags: { name: `${k}${EVIL}`, unit: EVIL, distiller: EVIL },
      annotations: { device: EVIL, location: EVIL },
    });
    await stream.insert(Array.from({ length: 20 }, (_, i) => [BigInt(i + k) * 10n ** 9n, i + k]));
  }
}

/** A configuration and two seconds of data of a PMU whose every name is hostile. */
function hostileFrames(): Uint8Array {
  const plain = simulatedConfiguration({ id: 7, rate: 10 });
  const evil = { name: EVIL_15 };
  const configuration = {
    ...plain,
    stations: plain.stations.map((station) => ({
      ...station,
      ...evil,
      phasors: station.phasors.map((one, i) => ({ ...one, name: `${i}${EVIL_15}` })),
      analogs: station.analogs.map((one) => ({ ...one, ...evil })),
      digitals: station.digitals.map((one) => ({ ...one, names: one.names.map(() => EVIL_15) })),
    })),
  };
  const layout = new DataLayout(configuration);
  const soc = 1_700_000_000;
  const data = Array.from({ length: 20 }, (_, tick) => {
    const stamp = { soc: soc + Math.floor(tick / 10), fraction: tick % 10 * 100_000 };
    return encodeValues(layout, simulatedValues(configuration, stamp.soc, tick, 7), stamp);
  });
  return Uint8Array.from([...encodeConfiguration(configuration, { soc, fraction: 0 }), ...data]
    .flatMap((frame) => [...frame]));
}

/** Files whose names and contents are hostile; broken ones too, for the errors. */
async function hostileFiles(folder: string): Promise<string[]> {
  const files = new Map<string, Uint8Array>();
  const text = (content: string) => new TextEncoder().encode(content);
  const made = makeComtrade({
    station: EVIL_FIELD,
    device: EVIL_FIELD,
    analogs: [`1,a${EVIL_FIELD},${EVIL_FIELD},${EVIL_FIELD},${EVIL_FIELD},1,0,0,-9,9,1,1,P`],
    statuses: [`1,s${EVIL_FIELD},${EVIL_FIELD},${EVIL_FIELD},0`],
    samples: [[1, 2, 3]],
    states: [[0, 1, 1]],
  });
  const name = `${EVIL.replace(/[\r\0]/g, "")}`;
  files.set(`a${name}.cfg`, made.configuration);
  files.set(`a${name}.dat`, made.samples);
  files.set(
    `b${name}.cfg`,
    text(new TextDecoder().decode(made.configuration).replace("ASCII", EVIL_FIELD)),
  );
  files.set(`b${name}.dat`, made.samples);
  const head = `time,"v${EVIL}","w${EVIL}"\n`;
  files.set(`c${name}.csv`, text(`${head}2024-01-01,1,${JSON.stringify(EVIL)}\n2024-01-02,2,x\n`));
  files.set(`d${name}.csv`, text(`${head}2024-01-01,1,1\n2024-01-02,"${EVIL}",2\n`));
  files.set(`e${name}.csv`, text(`${head}"${EVIL}",1,1\n"${EVIL}",3,2\n`));
  files.set(`f${name}.pcap`, hostileFrames());
  files.set(`g${name}.c37118`, hostileFrames());
  files.set(`h${name}.dat`, upmuFile([{ date: [2024, 1, 1, 0, 0, 0] }]));
  files.set(`i${name}.txt`, text("nothing"));
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const columns = {
    times: BigInt64Array.from([1n, 2n, 3n], (i) => i * 10n ** 18n),
    values: Float64Array.of(1, 2, 3),
  };
  const written = writeParquet(writable, [{ label: `p${EVIL}`, columns }]);
  files.set(`j${name}.parquet`, new Uint8Array(await new Response(readable).arrayBuffer()));
  await written;
  for (const [file, bytes] of files) await Deno.writeFile(`${folder}/${file}`, bytes);
  return [...files.keys()].map((file) => `${folder}/${file}`);
}

const ignore = { ignore: !hasTerminal || Deno.build.os === "windows" };
if (ignore.ignore) console.warn("skipped, there is no `script`: names on a terminal");

Deno.test(
  "terminal: nothing of a hostile database is obeyed, whatever the command",
  ignore,
  async () => {
    await using space = await workspace();
    const target = `file:${space.path}/evil.btrdb`;
    await hostileDatabase(target);
    await hostileDatabase(`file:${space.path}/other${EVIL.replace(/[\r\0]/g, "")}`);
    const other = `file:${space.path}/other${EVIL.replace(/[\r\0]/g, "")}`;
    const stream = UUIDS[0]!;
    const pattern = `c/${EVIL}/*`;
    const distil = `${space.path}/d.ts`;
    await Deno.writeTextFile(distil, "export default [];");
    const runs: string[][] = [
      ["ls"],
      ["ls", "-l"],
      ["ls", "--uuid"],
      ["ls", EVIL],
      ["show", ...UUIDS],
      ["show", pattern],
      ["show", `c/${EVIL}/none`],
      ["show", `c/${EVIL}/0${EVIL.slice(0, -1)}`],
      ["tag", stream],
      ["tag", stream, `phase=${EVIL}`],
      ["tag", stream, `Phase${EVIL}=x`],
      ["annotate", stream],
      ["annotate", stream, `a=${EVIL}`],
      ["query", stream],
      ["query", stream, "--windows", "3"],
      ["query", `x${EVIL}`],
      ["export", pattern],
      ["export", pattern, "-f", "ndjson"],
      ["export", pattern, "-o", `${space.path}/out\x1b[2J\u202e.csv`],
      ["export", pattern, "-o", `${space.path}/no${EVIL}/out.csv`],
      ["gaps", pattern],
      ["gaps", pattern, "--list", "--exact"],
      ["plot", pattern],
      ["plot", pattern, "--overlay"],
      ["plot", stream, "--svg", "-"],
      ["plot", pattern, "-s", "2030-01-01", "-e", "2031-01-01"],
      ["tail", pattern],
      ["verify"],
      ["distil", "ls"],
      ["distil", "status", distil],
      ["distil", "run", `${space.path}/${EVIL.replace("\0", "")}.ts`],
      ["rm", stream],
      ["delete-range", stream, "-s", "first", "-e", "last"],
      ["flush", pattern],
      ["info"],
      ["create", `c/${EVIL}/0${EVIL}`],
      ["create", "c/new", "--uuid", stream],
      ["help", EVIL],
      [EVIL],
      ["ls", `--${EVIL}`],
      ["ls", "--tz", EVIL],
      ["query", stream, "-s", EVIL],
      ["ls", "extra", EVIL],
      ["cp", target, `file:${space.path}/copy.btrdb`],
      ["cp", target, `file:${space.path}/no${EVIL}/x`],
      ["diff", target, `file:${space.path}/empty${EVIL}`],
      ["diff", target, other],
      ["serve", target, "--listen", EVIL],
      ["ingest", `c37118://${EVIL}`],
    ];
    for (const args of runs) {
      const isWithTarget = ["cp", "diff", "serve"].includes(args[0]!);
      const text = await onTerminal(isWithTarget ? args : ["-d", target, ...args], space.env);
      assertHarmless(text, JSON.stringify(args));
    }
  },
);

// A terminal that was named as the file was sent names as they are, and Parquet: they set its title.
Deno.test("terminal: its device is not written to as a file", ignore, async () => {
  await using space = await workspace();
  const target = `file:${space.path}/evil.btrdb`;
  await hostileDatabase(target);
  const stream = UUIDS[0]!;
  for (
    const args of [
      ["export", stream, "-o", "/dev/stdout"],
      ["export", stream, "-f", "parquet", "-o", "/dev/tty"],
      ["plot", stream, "--svg", "/dev/stdout"],
    ]
  ) {
    const text = await onTerminal(["-d", target, ...args], space.env);
    assertHarmless(text, JSON.stringify(args));
    assert(text.includes(`Cannot write ${args.at(-1)}: it is a terminal`), text);
  }
  const { stdout } = await btrdb(["-d", target, "export", stream, "-o", "/dev/stdout"], space);
  assert(stdout.includes("\u202e"), "a pipe gets what is there");
});

Deno.test("terminal: JSON is the same data as in a pipe, escaped as JSON is", ignore, async () => {
  await using space = await workspace();
  const target = `file:${space.path}/evil.btrdb`;
  await hostileDatabase(target);
  const [stream] = UUIDS;
  const runs: string[][] = [
    ["ls", "-l", "--json"],
    ["show", stream!, "--json"],
    ["plot", stream!, "--json"],
    ["tail", stream!, "-n", "1", "--json"],
    ["export", stream!, "-s", "first", "-e", "first+1s", "-f", "ndjson", "-q"],
    ["show", `c/${EVIL}/none`, "--json"],
  ];
  for (const args of runs) {
    const shown = await onTerminal(["-d", target, ...args], space.env);
    assertHarmless(shown, JSON.stringify(args));
    const [line = ""] = shown.split(/\r?\n/).filter((line) => line.startsWith("{"));
    const env = { ...space.env, COLUMNS: "200" };
    const { stdout, stderr } = await btrdb(["-d", target, ...args], { env });
    assertEquals(JSON.parse(line), JSON.parse(stdout || stderr), JSON.stringify(args));
    assert((stdout || stderr).includes("\u202e"), "what goes to a pipe is not changed");
  }
});

Deno.test(
  "terminal: nothing of hostile files is obeyed, in plans, imports and errors",
  ignore,
  async () => {
    await using space = await workspace();
    const files = await hostileFiles(space.path);
    const target = `file:${space.path}/evil.btrdb`;
    for (const file of [...files.filter((file) => !/b[^/]*dat$/.test(file)), space.path]) {
      for (const args of [["import", "--explain", file], ["import", file, "--debug"]]) {
        const text = await onTerminal(["-d", target, ...args], space.env);
        assertHarmless(text, JSON.stringify(args));
      }
    }
    assertHarmless(await onTerminal(["-d", target, "ls", "-l"], space.env), "ls -l");
  },
);

Deno.test("terminal: nothing that a PMU calls itself is obeyed", ignore, async () => {
  await using space = await workspace();
  await using pmu = await simulatePmu({ station: EVIL_15, id: 7, rate: 20 });
  const target = `file:${space.path}/evil.btrdb`;
  const args = ["-d", target, "ingest", `c37118://${pmu.address}`, "--report", "200ms"];
  const text = await onTerminal(args, space.env, "points stored");
  assertHarmless(text, "ingest");
  assertHarmless(await onTerminal(["-d", target, "ls", "-l"], space.env), "ls -l");
});

/** Answers of a server whose every text is hostile; each second call of a kind fails, with more of it. */
function hostileAnswers(): Script {
  const calls = new Map<string, number>();
  const version = { versionMajor: 11n, versionMinor: 0n };
  const pair = (key: string) => ({ key, val: { value: EVIL } });
  const descriptor = (k: number) => ({
    uuid: uuidBytes(UUIDS[k]!),
    collection: `c/${EVIL}`,
    tags: [{ key: "name", val: { value: `${k}${EVIL}` } }, pair("unit"), pair(EVIL)],
    annotations: [pair("device"), pair(`a${EVIL}`)],
  });
  const member = { up: true, in: true, enabled: true, start: 0n, end: 1n << 32n };
  const answers: Readonly<Record<string, () => Uint8Array>> = {
    Info: () =>
      bytes(v5.InfoResponseSchema, {
        ...{ majorVersion: 5, minorVersion: 30, build: EVIL, proxy: { proxyEndpoints: [EVIL] } },
        mash: { leader: EVIL, members: [{ ...member, nodename: EVIL, grpcEndpoints: EVIL }] },
      }),
    StreamInfo: () => bytes(v5.StreamInfoResponseSchema, { ...version, descriptor: descriptor(0) }),
    LookupStreams: () =>
      bytes(v5.LookupStreamsResponseSchema, { results: [descriptor(0), descriptor(1)] }),
    ListCollections: () =>
      bytes(v5.ListCollectionsResponseSchema, { collections: [`c/${EVIL}`, `d${EVIL}`] }),
    GetMetadataUsage: () =>
      bytes(v5.MetadataUsageResponseSchema, { tags: [{ key: EVIL, count: 1n }] }),
    SQLQuery: () =>
      bytes(v5.SQLQueryResponseSchema, {
        SQLQueryRow: [new TextEncoder().encode(JSON.stringify({ [EVIL]: EVIL }))],
      }),
    RawValues: () =>
      bytes(v5.RawValuesResponseSchema, { ...version, values: [{ time: 5n, value: 1 }] }),
  };
  return (call) => {
    const n = calls.get(call.rpc) ?? 0;
    calls.set(call.rpc, n + 1);
    if (call.rpc === "Info") return call.send(answers.Info!());
    const answer = answers[call.rpc];
    if (answer !== undefined && n % 2 === 0) return call.send(answer());
    if (n % 4 === 1) throw status(9, `E${EVIL}`);
    return call.send(bytes(v5.NearestResponseSchema, { stat: { code: 404, msg: `E${EVIL}` } }));
  };
}

// A server's names, addresses and errors come over the network, by other ways than those of a file.
Deno.test("terminal: nothing that a hostile server says is obeyed", ignore, async () => {
  await using space = await workspace();
  await using server = await ScriptedServer.start(hostileAnswers());
  const [stream] = UUIDS;
  const runs: string[][] = [
    ["info"],
    ["ls"],
    ["ls"],
    ["ls", "-l"],
    ["ls", "-l", "c"],
    ["show", stream!],
    ["show", stream!],
    ["tag", stream!],
    ["query", stream!],
    ["gaps", `c/${EVIL}/*`],
    ["plot", `c/${EVIL}/*`],
    ["tail", stream!],
    ["flush", stream!],
    ["rm", stream!],
    ["create", "c/x"],
    ["distil", "ls"],
  ];
  for (const args of runs) {
    const text = await onTerminal(["-d", server.address, ...args, "--debug"], space.env);
    assertHarmless(text, JSON.stringify(args));
  }
  for (const command of ["cp", "diff"]) {
    const text = await onTerminal(
      [command, server.address, `file:${space.path}/${command}.btrdb`],
      space.env,
    );
    assertHarmless(text, command);
  }
});

// Errors were coloured all the same.
Deno.test("terminal: one that says it is dumb gets no sequences", ignore, async () => {
  await using space = await workspace();
  const args = ["-d", `file:${space.path}/none.btrdb`, "ls"];
  const [dumb, other] = [
    await onTerminal(args, { ...space.env, TERM: "dumb" }),
    await onTerminal(args, { ...space.env, TERM: "xterm" }),
  ];
  assert(dumb.includes("error: There is no database") && !dumb.includes("\x1b"), dumb);
  assert(other.includes("\x1b[31merror:"), other);
});
