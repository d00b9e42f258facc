import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { openPartFile } from "../../../src/csv/part_file.ts";
import { CliError } from "../../../src/cli/errors.ts";
import { resumeAt } from "../../../src/cli/export/resume.ts";
import { destination, fileSink } from "../../../src/cli/export/sink.ts";

async function directory(): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir({ prefix: "btrdb-sink-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

Deno.test("fileSink: what is given up is kept or goes", async () => {
  await using dir = await directory();
  const to = destination(`${dir.path}/a.csv`);
  for (const keep of [true, false]) {
    const sink = fileSink(to, false);
    sink.write!(Uint8Array.of(1, 2, 3));
    await sink.abandon(keep);
    const names = [];
    for await (const { name } of Deno.readDir(dir.path)) names.push(name);
    assertEquals(names, keep ? ["a.csv.part"] : []);
  }
  const sink = fileSink(to, false);
  sink.write!(Uint8Array.of(1, 2, 3));
  await sink.finish();
  assertEquals([...await Deno.readFile(to.path)], [1, 2, 3]);
});

Deno.test("fileSink: a second export to a file is refused while the first one writes it, to go on with it too", async () => {
  await using dir = await directory();
  const to = destination(`${dir.path}/a.csv`);
  const first = fileSink(to, false);
  first.write!(Uint8Array.of(1, 2));
  for (const append of [false, true]) {
    assertThrows(() => fileSink(to, append), Error, "another export is writing it");
  }
  first.write!(Uint8Array.of(3));
  await first.finish();
  assertEquals([...await Deno.readFile(to.path)], [1, 2, 3]);
  const second = fileSink(to, false);
  second.write!(Uint8Array.of(4));
  await second.finish();
  assertEquals([...await Deno.readFile(to.path)], [4]);
});

Deno.test("openPartFile: of two that write the same part file the first one does not give its name to half of the second", async () => {
  await using dir = await directory();
  const target = `${dir.path}/a.csv`;
  const part = `${target}.part`;
  const first = openPartFile(target, { part });
  first.write(Uint8Array.of(1, 2));
  const second = openPartFile(target, { part });
  second.write(Uint8Array.of(3));
  await assertRejects(() => first.finish(), Error, "was replaced by another file");
  await first.discard();
  second.write(Uint8Array.of(4));
  await second.finish();
  assertEquals([...await Deno.readFile(target)], [3, 4]);
});

Deno.test("resumeAt: a damaged note of an interrupted export is an error that says what to do", async () => {
  await using dir = await directory();
  const to = destination(`${dir.path}/a.csv`);
  for (const text of ['{"request', "null", "1", ""]) {
    await Deno.writeTextFile(`${to.path}.part.json`, text);
    const error = await assertRejects(() => resumeAt(to, { request: {}, versions: [] }), CliError);
    assertEquals(error.hint, "leave out --resume to start over", text);
  }
});

Deno.test("destination: links in a circle are an error that names the file", async () => {
  await using dir = await directory();
  await Deno.symlink("a.csv", `${dir.path}/a.csv`);
  assertThrows(() => destination(`${dir.path}/a.csv`), CliError, `Cannot write ${dir.path}/a.csv`);
});
