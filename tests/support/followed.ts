/** Files that are followed into a database in memory. */

import { assertStringIncludes } from "@std/assert";
import { type BTrDB, connect } from "../../mod.ts";
import { followFile, type FollowOptions, type FollowSummary } from "../../src/ingest/mod.ts";
import { until } from "./until.ts";

/** A folder that is followed, or a file in it, into a database in memory. */
export class Followed implements AsyncDisposable {
  readonly folder: string;
  readonly db: BTrDB;
  readonly #stateFolder: string;
  #ended = new AbortController();
  #running: Promise<FollowSummary> | undefined;
  readonly warnings: string[] = [];

  private constructor(folder: string, stateFolder: string, db: BTrDB) {
    this.folder = folder;
    this.#stateFolder = stateFolder;
    this.db = db;
  }

  static async make(): Promise<Followed> {
    const folder = await Deno.makeTempDir({ prefix: "btrdb-follow-" });
    return new Followed(folder, await Deno.makeTempDir(), await connect("memory:"));
  }

  path(name: string): string {
    return name === "" ? this.folder : `${this.folder}/${name}`;
  }

  begin(name: string, options: FollowOptions = {}): void {
    this.#ended = new AbortController();
    this.#running = followFile(this.db, this.path(name), {
      into: "f",
      stateFolder: this.#stateFolder,
      signal: this.#ended.signal,
      settleMs: 200,
      onWarning: (text) => this.warnings.push(text),
      ...options,
    });
    this.#running.catch(() => {});
  }

  async end(): Promise<FollowSummary> {
    this.#ended.abort();
    return await this.#running!;
  }

  /** Leaves the journal as a process does that is killed after its last insert. */
  async forgetLastNote(): Promise<void> {
    const lines = await this.journalLines();
    assertStringIncludes(lines.pop()!, '"stored"');
    await this.setJournal(lines);
  }

  /** Path of the journal. */
  async #journal(): Promise<string> {
    const [entry] = await Array.fromAsync(Deno.readDir(this.#stateFolder));
    return `${this.#stateFolder}/${entry!.name}`;
  }

  async journalLines(): Promise<string[]> {
    return (await Deno.readTextFile(await this.#journal())).trimEnd().split("\n");
  }

  async setJournal(lines: readonly string[]): Promise<void> {
    await Deno.writeTextFile(await this.#journal(), lines.map((line) => `${line}\n`).join(""));
  }

  get running(): Promise<FollowSummary> {
    return this.#running!;
  }

  async write(name: string, text: string, append = true): Promise<void> {
    await Deno.writeTextFile(this.path(name), text, { append });
  }

  /** The values of a stream in the order of their times. */
  async values(path: string): Promise<number[]> {
    const at = path.lastIndexOf("/");
    const found = this.db.lookupStreams(path.slice(0, at), { tags: { name: path.slice(at + 1) } });
    const [stream] = await Array.fromAsync(found);
    return stream === undefined
      ? []
      : [...(await stream.rawValues(-(1n << 60n), 3n << 60n).collect()).values];
  }

  async untilValues(path: string, expected: readonly number[]): Promise<void> {
    let last = "";
    const wanted = expected.join();
    await until(`${path} is ${wanted}`, async () => {
      last = (await this.values(path)).join();
      if (last.length > wanted.length) throw new Error(`${path} is ${last}, expected ${wanted}`);
      return last === wanted;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await this.#running?.catch(() => {});
    await this.db.close();
    await Deno.remove(this.folder, { recursive: true });
    await Deno.remove(this.#stateFolder, { recursive: true });
  }
}

/** Rows `from` to `to`: the value is the second. */
export function rows(from: number, to: number): string {
  let text = "";
  for (let i = from; i <= to; i++) text += `${1_700_000_000 + i},${i}\n`;
  return text;
}

export const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);
