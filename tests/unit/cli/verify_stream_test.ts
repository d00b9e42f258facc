import { assertEquals } from "@std/assert";
import { connect, type Stream } from "../../../mod.ts";
import { verifyStream } from "../../../src/cli/sync/verify_stream.ts";

/** A stream to which something happens between the reading of its points and of its windows. */
function disturbed(stream: Stream, disturb: () => Promise<unknown>): Stream {
  let isDisturbed = false;
  return new Proxy(stream, {
    get(target, name) {
      if (name === "alignedWindows" && !isDisturbed) {
        isDisturbed = true;
        return (...args: Parameters<Stream["alignedWindows"]>) => ({
          collect: async () => {
            await disturb();
            return await target.alignedWindows(...args).collect();
          },
        });
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

// `btrdb verify` beside a writer said that windows do not match their points, and broke off with "stream not
// found" when one was removed.
Deno.test("verifyStream: a stream that is written or removed meanwhile is no damaged one", async () => {
  await using db = await connect("memory:");
  for (const isFlushed of [true, false]) {
    for (const what of ["insert", "obliterate"] as const) {
      const stream = await db.create(crypto.randomUUID(), "test", {
        tags: { name: `${what}${isFlushed}` },
      });
      const times = BigInt64Array.from({ length: 1_000 }, (_, i) => BigInt(i) * 1_000n);
      await stream.insert({ times, values: new Float64Array(1_000).fill(1) });
      if (isFlushed) await stream.flush();
      const path = `test/${what}`;
      const late = { times: BigInt64Array.of(500n), values: Float64Array.of(9) };
      const beside = disturbed(
        stream,
        () => what === "insert" ? stream.insert(late) : stream.obliterate(),
      );
      const named = { stream: beside, path, uuid: stream.uuid, name: what };
      const { signal } = new AbortController();
      assertEquals(await verifyStream(named as never, signal, () => {}), []);
    }
  }
});
