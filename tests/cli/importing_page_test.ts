/** The transcripts of `docs/importing.md`, run again. */

import { assertEquals } from "@std/assert";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { makeComtrade } from "../support/comtrade.ts";
import { importSamples } from "../support/import_samples.ts";
import { codeBlocks } from "../support/readme.ts";
import { btrdb, normalized, words, workspace } from "./support.ts";

const PAGE = new URL("../../docs/importing.md", import.meta.url);

/** Transcripts that end by a key, or whose file only pyarrow writes. */
const NOT_RUN = ["--follow", "types.parquet"];

const FAULT = makeComtrade({
  station: "SUB7",
  device: "RELAY1",
  analogs: ["1,VA,A,CB1,kV,0.5,0,0,-9,9,100,1,S", "2,IA,A,CB1,A,1,0,0,-9,9,1,1,P"],
  samples: [[1, 2, 3, 4], [4, undefined, 6, 7]],
  statuses: ["1,52A,,CB1,0"],
  states: [[0, 1, 1, 1]],
  first: "01/03/2026,00:00:00.000000",
  trigger: "01/03/2026,00:00:00.001000",
});

/** Files of the page that are no text, by their names in it. */
async function files(): Promise<Record<string, Uint8Array>> {
  const samples = await importSamples();
  return {
    "FAULT.CFG": FAULT.configuration,
    "FAULT.DAT": FAULT.samples,
    "capture.pcap": samples.capture!.files["a.pcap"]!,
    "upmu.dat": samples.upmu!.files["a.dat"]!,
    "pmu.parquet": samples["parquet zstd"]!.files["a.parquet"]!,
    "pmu.arrows": samples.arrow!.files["a.arrows"]!,
  };
}

/**
 * Runs a line of a transcript in a directory.
 *
 * @param line The line without its prompt.
 * @param shown Lines that the page shows below it: the content of the file, where the line is `cat`.
 * @returns The output.
 */
async function run(line: string, shown: string, cwd: string, state: string): Promise<string> {
  const [program, ...args] = words(line);
  const file = `${cwd}/${args.at(-1)}`;
  switch (program) {
    case "btrdb": {
      const env = { BTRDB_STATE_DIR: state };
      const { stdout, stderr } = await btrdb(args, { cwd, env });
      return stderr + stdout;
    }
    case "cat":
      await Deno.writeTextFile(file, shown);
      return shown;
    case "gzip":
      await Deno.writeFile(`${file}.gz`, gzipSync(await Deno.readFile(file)));
      return "";
    case "zstd":
      await Deno.writeFile(`${file}.zst`, zstdCompressSync(await Deno.readFile(file)));
      return "";
    case "head":
      await Deno.writeFile(file, (await Deno.readFile(`${cwd}/${args[2]}`)).slice(0, +args[1]!));
      return "";
  }
  throw new Error(`The test cannot run "${line}"`);
}

/** A transcript as it is today: every line that begins with `$`, and what it prints. */
async function rerun(block: string): Promise<string> {
  await using dir = await workspace();
  for (const [name, bytes] of Object.entries(await files())) {
    await Deno.writeFile(`${dir.path}/${name}`, bytes);
  }
  let text = "";
  for (const part of block.split(/^\$ /m).slice(1)) {
    const [line, ...shown] = part.split("\n");
    const output = shown.join("\n").replace(/\n\n$/, "\n");
    const printed = await run(line!, output, dir.path, `${dir.path}/state`);
    text += `${text === "" ? "" : "\n"}$ ${line}\n${printed}`;
  }
  return text;
}

/** Text without what differs between machines, and without the size of what was compressed. */
function plain(text: string): string {
  return normalized(text).replace(/[\d.]+ k?B read/g, "… B read");
}

Deno.test("importing: every transcript of the page is what the command prints", async () => {
  let page = await Deno.readTextFile(PAGE);
  const blocks = codeBlocks(page, "console");
  const ran = blocks.filter((block) => NOT_RUN.every((word) => !block.includes(word)));
  assertEquals(blocks.length - ran.length, NOT_RUN.length);
  for (const block of ran) {
    const now = await rerun(block);
    if (Deno.env.get("UPDATE_SNAPSHOTS") !== "1") assertEquals(plain(now), plain(block));
    else if (plain(now) !== plain(block)) page = page.replace(block, () => now);
  }
  if (Deno.env.get("UPDATE_SNAPSHOTS") === "1") await Deno.writeTextFile(PAGE, page);
});
