import { assertEquals } from "@std/assert";
import { uuidBytes } from "../../../src/core/uuid.ts";
import { murmur3 } from "../../../src/grpc/call/murmur3.ts";

Deno.test("murmur3: the hash of uuids is the one that clusters use", () => {
  const vectors: [string, number][] = [
    ["00000000-0000-0000-0000-000000000000", 2416257816],
    ["ffffffff-ffff-ffff-ffff-ffffffffffff", 2201085265],
    ["a5fba242-74c8-4e59-ad89-c1565ee3229c", 2823768592],
    ["b48b3559-bc60-414d-bcc6-1b85d4314161", 962767419],
    ["00112233-4455-6677-8899-aabbccddeeff", 246643139],
  ];
  for (const [uuid, hash] of vectors) assertEquals(murmur3(uuidBytes(uuid)), hash, uuid);
});

Deno.test("murmur3: every length of the tail is hashed", () => {
  const vectors: [string, number][] = [
    ["", 1364076727],
    ["a", 1485495528],
    ["ab", 3087506246],
    ["abc", 2859854335],
    ["node1", 3673216508],
  ];
  for (const [text, hash] of vectors) {
    assertEquals(murmur3(new TextEncoder().encode(text)), hash, text);
  }
});

Deno.test("murmur3: a view into a larger buffer is hashed by itself", () => {
  const buffer = new Uint8Array(40).fill(7);
  const view = buffer.subarray(5, 21);
  view.set(uuidBytes("a5fba242-74c8-4e59-ad89-c1565ee3229c"));
  assertEquals(murmur3(view), 2823768592);
});
