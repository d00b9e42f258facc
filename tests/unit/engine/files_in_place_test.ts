import { assert, assertEquals } from "@std/assert";
import { clockStep, identityAt } from "../../../src/engine/file/files_in_place.ts";
import { withFolder } from "../../support/run.ts";

/** A folder that changed at such times, ms. */
const folderAt = (mtime: number, ctime: number) => ({
  ...{ dev: 1, ino: 2, size: 0 },
  mtime: new Date(mtime),
  ctime: new Date(ctime),
});

Deno.test("clockStep: a folder is believed soon, where its change is noted to the millisecond", () => {
  assertEquals(clockStep(folderAt(1_700_000_000_384, 1_700_000_000_384)), 20);
});

Deno.test("clockStep: full seconds are those of the file system only if all times are full", () => {
  // Deno tells the last change of a file's state in full seconds. Each commit within two seconds of a
  // new file in the folder took for those of a file system that has no others, and looked at all names.
  assertEquals(clockStep(folderAt(1_700_000_000_384, 1_700_000_000_000)), 1_020);
  assertEquals(clockStep(folderAt(1_700_000_000_000, 1_700_000_000_000)), 2_000);
});

Deno.test("clockStep: a change later than its step is another time", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/a`, "");
    const before = identityAt(folder)!;
    const step = clockStep(before);
    assert(step <= 2_000);
    // The clock of the file system, until it is so late that a look would be believed.
    for (let now = 0; now <= before.ctime!.getTime() + step;) {
      await Deno.writeTextFile(`${folder}/b`, "");
      now = Deno.statSync(`${folder}/b`).mtime!.getTime();
      await Deno.remove(`${folder}/b`);
    }
    await Deno.rename(`${folder}/a`, `${folder}/c`);
    assert(identityAt(folder)!.ctime!.getTime() > before.ctime!.getTime());
  });
});
