import { assertEquals, assertRejects } from "@std/assert";
import { connect } from "@btrdb/btrdb";
import { endpointOf } from "../../../src/client/endpoint_of.ts";
import { BTrDBError } from "../../../src/core/errors.ts";
import type { Endpoint, InsertRequest } from "../../../src/endpoint/endpoint.ts";
import { insertInPieces } from "../../../src/server/btrdb/insert_in_pieces.ts";

const uuid = new Uint8Array(16).fill(3);

/** A database that takes 10 points at once, and what it was asked to insert. */
async function withSmallDatabase(
  body: (endpoint: Endpoint, sizes: number[], failAt: (n: number) => void) => Promise<void>,
): Promise<void> {
  await using db = await connect("memory:");
  await db.create(uuid, "small", { tags: { name: "s" } });
  const real = endpointOf(db);
  const sizes: number[] = [];
  let failing = Infinity;
  const endpoint = new Proxy(real, {
    get(target, name) {
      if (name === "capabilities") return { ...target.capabilities, maxInsertPoints: 10 };
      if (name !== "insert") return Reflect.get(target, name).bind?.(target);
      return async (request: InsertRequest) => {
        sizes.push(request.columns.times.length);
        if (sizes.length === failing) throw new BTrDBError("overloaded", { code: 426 });
        return await target.insert(request);
      };
    },
  });
  await body(endpoint, sizes, (n) => failing = n);
}

function points(n: number): InsertRequest {
  const times = BigInt64Array.from({ length: n }, (_, i) => BigInt(i));
  return { uuid, columns: { times, values: new Float64Array(n) } };
}

Deno.test("insertInPieces: as few requests as the database takes, and the last one's version", () =>
  withSmallDatabase(async (endpoint, sizes) => {
    const version = await insertInPieces(endpoint, points(25), {});
    assertEquals(sizes, [10, 10, 5]);
    assertEquals(version, { major: 10n, minor: 25n });
  }));

Deno.test("insertInPieces: a failure after the first piece says how far it came, and is not to be repeated", () =>
  withSmallDatabase(async (endpoint, _, failAt) => {
    failAt(3);
    const error = await assertRejects(() => insertInPieces(endpoint, points(25), {}), BTrDBError);
    assertEquals([error.code, error.retryable], [403, false]);
    assertEquals(
      error.message,
      "only the first 20 of 25 points are stored, the rest is not: overloaded",
    );
  }));

Deno.test("insertInPieces: when the first piece fails, nothing is stored and the error is its own", () =>
  withSmallDatabase(async (endpoint, _, failAt) => {
    failAt(1);
    const error = await assertRejects(() => insertInPieces(endpoint, points(25), {}), BTrDBError);
    assertEquals(error.code, 426);
  }));

Deno.test("insertInPieces: a bad point in a later piece is found before the first is stored", () =>
  withSmallDatabase(async (endpoint, sizes) => {
    const request = points(25);
    request.columns.values[24] = NaN;
    const error = await assertRejects(() => insertInPieces(endpoint, request, {}), BTrDBError);
    assertEquals([error.code, sizes], [425, []]);
  }));
