import { assertEquals } from "@std/assert";
import { connect } from "@btrdb/btrdb";
import { serve } from "@btrdb/btrdb/server";
import { endpointOf } from "../../src/client/endpoint_of.ts";
import type { StreamDescriptor } from "../../src/endpoint/endpoint.ts";
import { override } from "../support/override_endpoint.ts";
import { btrdb, workspace } from "./support.ts";

const everything = {
  collection: "",
  isCollectionPrefix: true,
  tags: new Map<string, string>(),
  annotations: new Map<string, string>(),
};

// One stream among many that somebody obliterated while a command ran ended all of `ls -l` and `cp`
// with `stream not found`, and nothing said which one it was.
Deno.test("commands: a stream that is obliterated meanwhile is named, and the others are there", async () => {
  await using space = await workspace();
  await using db = await connect("memory:");
  const uuids: string[] = [];
  for (const name of ["a", "b", "c"]) {
    const stream = await db.create(crypto.randomUUID(), "c", { tags: { name } });
    await stream.insert([[1n, 1], [2n, 2]]);
    uuids.push(stream.uuid);
  }
  const real = endpointOf(db);
  const listed: StreamDescriptor[] = [];
  for await (const found of real.lookupStreams(everything)) listed.push(...found);
  await using server = await serve(
    override(real, {
      async *lookupStreams() {
        await Promise.resolve();
        yield listed;
      },
    }),
    { port: 0 },
  );
  const [, gone] = uuids;
  await db.streamFromUUID(gone!).obliterate();
  const target = `127.0.0.1:${server.port}`;
  const run = (...args: string[]) => btrdb(args, { env: space.env });

  const list = await run("-d", target, "ls", "-l", "--json");
  const names = JSON.parse(list.stdout).streams.map(({ name }: { name: string }) => name);
  assertEquals(names, ["a", "c"]);
  assertEquals([list.code, list.stderr], [
    0,
    "warning: c/b was obliterated while it was listed\n",
  ]);

  const copy = await run("cp", target, `file:${space.path}/copy.btrdb`, "--json");
  const copied = JSON.parse(copy.stdout).streams.map((stream: Record<string, unknown>) => [
    stream.path,
    stream.points,
    stream.error,
  ]);
  const failure = `stream does not exist: ${gone}`;
  assertEquals(copied, [["c/a", "2", null], ["c/b", null, failure], ["c/c", "2", null]]);
  assertEquals(copy.code, 3);

  const out = await run("-d", target, "export", "c/*", "-o", `${space.path}/out.csv`);
  assertEquals([out.code, out.stderr.split("\n")[0]], [3, `error: stream not found: ${gone}`]);
});
