/**
 * Views as something to run elsewhere: a command, a program.
 *
 * @module
 */

import { formatTime } from "../../core/time.ts";
import type { TimeSpan } from "./view_changes.ts";

/** Function of the snippet that prints; this module itself prints nothing. */
const PRINT = ["console", "log"].join(".");

/** Everything that a snippet says. */
export interface SnippetView {
  /** Server, `http://127.0.0.1:8080`. */
  readonly origin: string;
  readonly span: TimeSpan;
  readonly zone: string;
  /** Pixels across: as many windows are read. */
  readonly windows: number;
  readonly streams: readonly {
    readonly uuid: string;
    readonly path: string;
    readonly version: bigint;
  }[];
}

/** The address of a server as a target of `connect`. */
function targetOf(origin: string): string {
  return origin.replace(/^https:/, "grpc-web+tls:").replace(/^http:/, "grpc-web:");
}

/** A word of a command for a shell of POSIX. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The `btrdb` command that plots a view in a terminal. */
export function commandOf({ origin, span, zone, streams }: SnippetView): string {
  const words = ["btrdb", "-d", targetOf(origin), "plot", ...streams.map(({ uuid }) => uuid)];
  words.push("-s", formatTime(span.start), "-e", formatTime(span.end), "--tz", zone);
  return words.map(shellWord).join(" ");
}

/** The program in TypeScript that reads the windows of a view. */
export function programOf({ origin, span, windows, streams }: SnippetView): string {
  const width = (span.end - span.start + BigInt(windows) - 1n) / BigInt(windows) || 1n;
  // Whatever is in a name, it stays within its comment.
  const comment = (path: string) => path.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, " ");
  const list = streams.map(({ uuid, path, version }) =>
    `  { uuid: "${uuid}", version: ${version}n }, // ${comment(path)}`
  );
  return [
    'import { connect } from "@btrdb/btrdb";',
    "",
    `await using db = await connect("${targetOf(origin)}");`,
    `const [start, end] = ["${formatTime(span.start)}", "${formatTime(span.end)}"];`,
    "const streams = [",
    ...list,
    "];",
    "for (const { uuid, version } of streams) {",
    "  const stream = db.streamFromUUID(uuid);",
    `  const windows = await stream.windows(start, end, ${width}n, { version }).collect();`,
    `  ${PRINT}(await stream.tags(), windows.times.length, windows.min, windows.max);`,
    "}",
    "",
  ].join("\n");
}
