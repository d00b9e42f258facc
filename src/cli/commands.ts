/**
 * The list of commands. Each is loaded only when it is used. `main.ts` alone imports it and hands
 * it to `Context`.
 *
 * @module
 */

import type { Command } from "./command.ts";
import type { CommandEntry } from "./command_entry.ts";

const LOOK = "Look";
const MOVE = "Move data";
const CHANGE = "Change";
const RUN = "Run and check";

/** All commands, in the order of the help text. */
export const COMMANDS: readonly CommandEntry<Command>[] = [
  {
    name: "info",
    args: "",
    summary: "Show the protocol, version and cluster members of a database",
    group: LOOK,
    load: () => import("./commands/info.ts"),
  },
  {
    name: "ls",
    args: "[PREFIX]",
    summary: "List collections as a tree, or streams with -l",
    group: LOOK,
    load: () => import("./commands/ls.ts"),
  },
  {
    name: "show",
    args: "STREAM…",
    summary: "Show everything about a stream",
    group: LOOK,
    load: () => import("./commands/show.ts"),
  },
  {
    name: "query",
    args: "STREAM",
    summary: "Print points or windows of a stream as a table",
    group: LOOK,
    load: () => import("./commands/query.ts"),
  },
  {
    name: "plot",
    args: "STREAM…",
    summary: "Plot streams in the terminal, in a browser (--web), or as SVG",
    group: LOOK,
    load: () => import("./commands/plot.ts"),
  },
  {
    name: "gaps",
    args: "STREAM…",
    summary: "Find missing and doubtful points",
    group: LOOK,
    load: () => import("./commands/gaps.ts"),
  },
  {
    name: "tail",
    args: "STREAM…",
    summary: "Print the last points, and with -f new ones as they arrive",
    group: LOOK,
    load: () => import("./commands/tail.ts"),
  },
  {
    name: "import",
    args: "FILE…",
    summary: "Store points from CSV, Parquet, Arrow, COMTRADE and other files, or captures",
    group: MOVE,
    load: () => import("./commands/import.ts"),
  },
  {
    name: "ingest",
    args: "ADDRESS…",
    summary: "Store live measurements of PMUs and PDCs (C37.118)",
    group: MOVE,
    load: () => import("./commands/ingest.ts"),
  },
  {
    name: "export",
    args: "STREAM…",
    summary: "Write points or windows as CSV, NDJSON, Parquet, Arrow or COMTRADE",
    group: MOVE,
    load: () => import("./commands/export.ts"),
  },
  {
    name: "cp",
    args: "SRC DST [STREAM…]",
    summary: "Copy streams from one database to another, verified",
    group: MOVE,
    load: () => import("./commands/cp.ts"),
  },
  {
    name: "diff",
    args: "A B [STREAM…]",
    summary: "Find the ranges in which two databases differ",
    group: MOVE,
    load: () => import("./commands/diff.ts"),
  },
  {
    name: "distil",
    args: "VERB [FILE] [NAME…]",
    summary: "Compute derived streams, and keep them up to date",
    group: MOVE,
    load: () => import("./commands/distil.ts"),
  },
  {
    name: "create",
    args: "COLLECTION/NAME",
    summary: "Create a stream",
    group: CHANGE,
    load: () => import("./commands/create.ts"),
  },
  {
    name: "annotate",
    args: "STREAM [KEY=VALUE…]",
    summary: "Show, set and remove annotations",
    group: CHANGE,
    load: () => import("./commands/annotate.ts"),
  },
  {
    name: "tag",
    args: "STREAM [KEY=VALUE…]",
    summary: "Show, set and remove tags, move to another collection",
    group: CHANGE,
    load: () => import("./commands/tag.ts"),
  },
  {
    name: "delete-range",
    args: "STREAM",
    summary: "Remove the points of a range of time",
    group: CHANGE,
    load: () => import("./commands/delete_range.ts"),
  },
  {
    name: "rm",
    args: "STREAM…",
    summary: "Remove streams permanently",
    group: CHANGE,
    load: () => import("./commands/rm.ts"),
  },
  {
    name: "flush",
    args: "[STREAM…]",
    summary: "Commit buffered points",
    group: CHANGE,
    load: () => import("./commands/flush.ts"),
  },
  {
    name: "retain",
    args: "TARGET [PREFIX [AGE]]",
    summary: "Let points expire by their age",
    group: CHANGE,
    load: () => import("./commands/retain.ts"),
  },
  {
    name: "compact",
    args: "FILE",
    summary: "Make a database file smaller",
    group: CHANGE,
    load: () => import("./commands/compact.ts"),
  },
  {
    name: "serve",
    args: "[TARGET]",
    summary: "Serve a database to gRPC clients",
    group: RUN,
    load: () => import("./commands/serve.ts"),
  },
  {
    name: "simulate",
    args: "pmu",
    summary: "Run a simulated PMU, to try ingest without hardware",
    group: RUN,
    load: () => import("./commands/simulate.ts"),
  },
  {
    name: "verify",
    args: "[STREAM…]",
    summary: "Check the stored data for damage",
    group: RUN,
    load: () => import("./commands/verify.ts"),
  },
  {
    name: "bench",
    args: "",
    summary: "Measure the speed of a database",
    group: RUN,
    load: () => import("./commands/bench.ts"),
  },
  {
    name: "completions",
    args: "SHELL",
    summary: "Print a completion script for bash, zsh or fish",
    group: RUN,
    load: () => import("./commands/completions.ts"),
  },
  {
    name: "help",
    args: "[COMMAND]",
    summary: "Show help",
    group: RUN,
    load: () => import("./commands/help.ts"),
  },
];
