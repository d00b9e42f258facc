/**
 * A writer that an error ends which nobody catches:
 *
 *     uncaught_writer.ts PATH throw|reject|timer|prevented
 *
 * Inserts a point, and after an error that is `prevented` from ending it another one; then it ends
 * without closing the file.
 */

import { connect } from "../../mod.ts";

const [path, how] = Deno.args;
const db = await connect(`file:${path}`);
const stream = await db.create("00000000-0000-4000-8000-000000000001", "a/b", {
  tags: { name: "x" },
});
const insert = (time: bigint) =>
  stream.insert({ times: BigInt64Array.of(time), values: Float64Array.of(1) });
await insert(1n);
if (how === "throw") throw new Error("on purpose");
const isOver = Promise.withResolvers<void>();
if (how === "reject") void Promise.reject(new Error("on purpose"));
else {
  if (how === "prevented") {
    addEventListener("error", (event) => {
      event.preventDefault();
      setTimeout(isOver.resolve);
    });
  }
  setTimeout(() => {
    throw new Error("on purpose");
  });
}
await isOver.promise;
await insert(2n);
Deno.exit(3);
