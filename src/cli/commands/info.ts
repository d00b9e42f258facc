/** `btrdb info`: describes a server or a database file. @module */

import type { ServerInfo } from "../../../mod.ts";
import type { Command } from "../command.ts";
import type { Context } from "../context.ts";
import { properties, table } from "../terminal/print_table.ts";

const command: Command = {
  name: "info",
  args: "",
  arity: [0, 0],
  summary: "Show the protocol, version and cluster members of a database",
  options: {},
  examples: [
    {
      line: "btrdb -d grid.example:4410 info",
      about: "A cluster: who is up, who owns which streams",
    },
    { line: "btrdb -d file:grid.btrdb info --json", about: "An embedded database, for a program" },
  ],
  json:
    "{ protocol, majorVersion, minorVersion, build, mash?: { revision, leader, healthy, unmapped, " +
    "members: [{ nodename, up, in, enabled, start, end, weight, grpcEndpoints, … }] }, proxyEndpoints? }",
  async run(context) {
    const db = await context.db("read");
    const info = await db.info({ signal: context.signal });
    if (context.json) context.printJson(info);
    else printInfo(context, info);
  },
};

function printInfo(context: Context, info: ServerInfo): void {
  const pairs: [string, string][] = [
    ["database", context.target ?? "from the environment"],
    ["protocol", info.protocol],
    ["version", `${info.majorVersion}.${info.minorVersion}`],
    ["build", info.build],
  ];
  if (info.proxyEndpoints !== undefined) pairs.push(["proxies", info.proxyEndpoints.join(" ")]);
  const mash = info.mash;
  if (mash !== undefined) {
    pairs.push(["leader", mash.leader], ["health", healthText(mash.healthy, mash.unmapped)]);
  }
  context.print(properties(pairs, context.style));
  if (mash === undefined || mash.members.length === 0) return;
  const rows = mash.members.map((member) => [
    member.nodename,
    member.up ? "up" : context.style.red("down"),
    member.in ? "in" : "out",
    member.enabled ? "yes" : "no",
    share(member.start, member.end),
    member.grpcEndpoints.join(" "),
  ]);
  const columns = ["member", "state", "mash", "enabled", "streams", "address"].map((title) => ({
    title,
  }));
  context.print(`\n${table(columns, rows, context.style)}`);
}

function healthText(healthy: boolean, unmapped: number): string {
  return healthy ? "healthy" : `degraded, ${unmapped} % of the streams have no owner`;
}

/** The part of the uuid hashes that a member owns. */
function share(start: bigint, end: bigint): string {
  return `${(Number(end - start) / 2 ** 32 * 100).toFixed(1)} %`;
}

export default command;
