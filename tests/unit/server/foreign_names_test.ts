/** SQL and `Create` of callers that are kept to their own collections (docs/security.md). */

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { assert, assertEquals } from "@std/assert";
import { uuidBytes } from "../../../src/core/uuid.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import * as v5 from "../../../src/gen/btrdb_v5_pb.ts";
import { serve } from "../../../src/server/mod.ts";
import { RawClient } from "../../support/grpc_client.ts";
import { watched } from "../../support/watched_endpoint.ts";

const CALLERS = 50;
const CAPABILITIES = ["read", "insert", "delete", "obliterate", "admin"] as const;
const UUID = uuidBytes("00000000-0000-4000-8000-000000000001");

/** Ways to ask for names and uuids of all collections, or for what gives them away. */
const QUERIES = [
  "SELECT * FROM streams",
  "SELECT count(*) FROM streams",
  "SELECT hex(uuid) FROM streams",
  "SELECT collection FROM streams WHERE collection LIKE 'ours/%'",
  "SELECT b.collection FROM streams a JOIN streams b ON a.collection LIKE 'ours/%'",
  "SELECT b.uuid FROM streams a LEFT JOIN streams b USING (name)",
  "WITH mine AS (SELECT * FROM streams) SELECT * FROM mine",
  "WITH streams AS (SELECT * FROM stream) SELECT * FROM streams",
  "WITH RECURSIVE c(x) AS (SELECT collection FROM streams UNION SELECT x FROM c) SELECT * FROM c",
  "SELECT ours.collection FROM streams AS ours",
  'SELECT "ours/".uuid FROM main.streams AS "ours/"',
  "SELECT (SELECT group_concat(collection) FROM streams)",
  "SELECT EXISTS (SELECT 1 FROM streams WHERE collection = 'theirs/a')",
  "SELECT 1 UNION ALL SELECT collection FROM streams",
  "VALUES ((SELECT max(collection) FROM streams))",
  "SELECT json_group_array(collection) FROM streams",
  "SELECT rank() OVER (ORDER BY collection), collection FROM streams",
  "SELECT abs(CASE WHEN count(*) > 1 THEN -9223372036854775808 END) FROM streams",
  "SELECT * FROM stream",
  "SELECT * FROM collection",
  "SELECT sql FROM sqlite_schema",
  "SELECT data FROM sqlite_dbpage",
  "SELECT * FROM dbstat",
  "SELECT sqlite_offset(collection) FROM streams",
  "SELECT * FROM pragma_table_info('stream')",
  "SELECT * FROM json_each((SELECT tags FROM streams))",
  "ATTACH 'grid.btrdb' AS other",
  "CREATE TEMP VIEW mine AS SELECT * FROM streams",
  "EXPLAIN SELECT * FROM streams",
  "PRAGMA database_list",
  "SELEC",
  "",
];

/** Keys that are kept to `<name>/`, and the collection `<name>/a` of each. */
const NAMES = Array.from({ length: CALLERS }, (_, i) => `team${i}`);
const KEYS = NAMES.map((name) => ({
  key: name,
  capabilities: CAPABILITIES,
  collectionPrefixes: [`${name}/`],
}));

Deno.test("serve: SQL of a caller kept to some collections is refused unseen, whatever it asks for", async () => {
  await using engine = await openEngine();
  const none = new Map<string, string>();
  await engine.create({ uuid: UUID, collection: "theirs/a", tags: none, annotations: none });
  const asked: string[] = [];
  const server = await serve(watched(engine, asked), {
    port: 0,
    hostname: "127.0.0.1",
    apiKeys: KEYS,
  });
  await using _server = server;
  using client = new RawClient(server.address);
  asked.length = 0;
  for (const query of QUERIES) {
    const request = toBinary(
      v5.SQLQueryParamsSchema,
      create(v5.SQLQueryParamsSchema, { query, params: ["theirs/a"] }),
    );
    const { code, details, messages } = await client.call("/v5api.BTrDB/SQLQuery", request, {
      headers: { authorization: `Bearer ${NAMES[0]}` },
    });
    assertEquals([query, code, details, messages], [
      query,
      7,
      'user does not have permission "read" on ""',
      [],
    ]);
  }
  assertEquals(asked, []);
});

Deno.test("serve: of callers that create one uuid at once one has it, and the others learn nothing", async () => {
  await using engine = await openEngine();
  await using server = await serve(engine, { port: 0, hostname: "127.0.0.1", apiKeys: KEYS });
  const clients = NAMES.map(() => new RawClient(server.address));
  using stack = new DisposableStack();
  for (const client of clients) stack.use(client);
  const createAll = (uuidOf: (i: number) => Uint8Array) =>
    Promise.all(NAMES.map(async (name, i) => {
      const fields = { uuid: uuidOf(i), collection: `${name}/a` };
      const request = toBinary(v5.CreateParamsSchema, create(v5.CreateParamsSchema, fields));
      const { code, messages } = await clients[i]!.call("/v5api.BTrDB/Create", request, {
        headers: { authorization: `Bearer ${name}` },
      });
      assertEquals([code, messages.length], [0, 1]);
      const { stat } = fromBinary(v5.CreateResponseSchema, messages[0]!);
      return stat === undefined ? "created" : `${stat.code} ${stat.msg} ${messages[0]!.length}`;
    }));
  const first = await createAll(() => UUID);
  const winner = first.indexOf("created");
  const lost = first.filter((answer) => answer !== "created");
  assertEquals(lost.length, CALLERS - 1);
  assertEquals(new Set(lost).size, 1);
  assert(lost[0]!.startsWith("429 the uuid cannot be used for a new stream"), lost[0]);
  // It exists where the one has it, and nowhere else.
  const { descriptor } = await engine.streamInfo({
    uuid: UUID,
    omitVersion: true,
    omitDescriptor: false,
  });
  assertEquals(descriptor?.collection, `${NAMES[winner]}/a`);
  const names = await Array.fromAsync(engine.listCollections({ prefix: "" }));
  assertEquals(names.flat(), [`${NAMES[winner]}/a`]);
  // Those who come later are told the same, and so are all when it is gone.
  await engine.obliterate(UUID);
  assertEquals(new Set(await createAll(() => UUID)), new Set(lost));
});

Deno.test("serve: of callers that create one stream at once, each with a uuid of its own, one has it", async () => {
  await using engine = await openEngine();
  const keys = NAMES.map((key) => ({
    key,
    capabilities: CAPABILITIES,
    collectionPrefixes: ["ours/"],
  }));
  await using server = await serve(engine, { port: 0, hostname: "127.0.0.1", apiKeys: keys });
  using client = new RawClient(server.address);
  const answers = await Promise.all(NAMES.map(async (name, i) => {
    const fields = { uuid: new Uint8Array(16).fill(i + 1), collection: "ours/a" };
    const request = toBinary(v5.CreateParamsSchema, create(v5.CreateParamsSchema, fields));
    const { messages } = await client.call("/v5api.BTrDB/Create", request, {
      headers: { authorization: `Bearer ${name}` },
    });
    const { stat } = fromBinary(v5.CreateResponseSchema, messages[0]!);
    return stat === undefined ? "created" : `${stat.code} ${stat.msg}`;
  }));
  assertEquals(answers.filter((answer) => answer === "created").length, 1);
  const lost = new Set(answers.filter((answer) => answer !== "created"));
  assertEquals(
    lost,
    new Set(["406 a stream already exists in that collection with identical tags"]),
  );
  const found = engine.lookupStreams({
    collection: "",
    isCollectionPrefix: true,
    tags: new Map(),
    annotations: new Map(),
  });
  assertEquals((await Array.fromAsync(found)).flat().length, 1);
});
