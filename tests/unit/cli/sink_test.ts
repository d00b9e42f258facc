import { lchown } from "node:fs/promises";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
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

/** Writes random bytes to a file until it fails, and says how that ended. */
const WRITES_UNTIL_FULL = `
  const [name, url] = Deno.args;
  const { destination, fileSink } = await import(url);
  const sink = fileSink(destination(name), false);
  const writer = sink.stream.getWriter();
  writer.closed.catch(() => {});
  try {
    for (;;) await writer.write(crypto.getRandomValues(new Uint8Array(1 << 16)));
  } catch (error) {
    console.log(error.message);
  }
  await sink.abandon(false);
`;

// Deno's adapter of compressors ended the process with a stack trace: the file was not named, and the
// part file stayed.
Deno.test({
  name: "fileSink: a disk that is full while bytes are compressed is an error that names the file",
  ignore: Deno.build.os === "windows", // Elsewhere a process can limit the length of its files.
  async fn() {
    await using dir = await directory();
    const url = import.meta.resolve("../../../src/cli/export/sink.ts");
    for (const ending of ["gz", "zst"]) {
      const name = `${dir.path}/full.csv.${ending}`;
      const script = `trap "" XFSZ; ulimit -f 2048; exec "$@"`;
      const deno = [Deno.execPath(), "eval", "--no-check", WRITES_UNTIL_FULL, name, url];
      const output = await new Deno.Command("sh", { args: ["-c", script, "sh", ...deno] }).output();
      assertStringIncludes(new TextDecoder().decode(output.stdout), `Cannot write ${name}: `);
      assertEquals(output.code, 0);
      assertEquals(await Array.fromAsync(Deno.readDir(dir.path)), []);
    }
  },
});

Deno.test("fileSink: compressed bytes are complete when it is finished, and go when it is given up", async () => {
  await using dir = await directory();
  const bytes = crypto.getRandomValues(new Uint8Array(1 << 16));
  for (const [ending, decompress] of [["gz", gunzipSync], ["zst", zstdDecompressSync]] as const) {
    const to = destination(`${dir.path}/a.csv.${ending}`);
    for (const isGivenUp of [true, false]) {
      const sink = fileSink(to, false);
      const writer = sink.stream.getWriter();
      for (let i = 0; i < 4; i++) await writer.write(bytes);
      if (isGivenUp) {
        void writer.write(bytes).catch(() => {});
        await sink.abandon(false);
        assertEquals(await Array.fromAsync(Deno.readDir(dir.path)), []);
      } else {
        await writer.close();
        await sink.finish();
        assertEquals(decompress(await Deno.readFile(to.path)).length, 4 * bytes.length);
      }
    }
    await Deno.remove(to.path);
  }
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

// `export -o /tmp/day.csv` replaced whatever file of this user a link led to that somebody else had
// put there before: the kernel refuses to follow such a link, and the command had asked it for the
// link's end.
Deno.test({
  name: "destination: links of other users in folders of everyone are refused",
  ignore: Deno.build.os === "windows",
  async fn() {
    if (Deno.uid() !== 0) return console.warn("skipped, only root can give links to other users");
    await using dir = await directory();
    const [ours, link, shared] = ["ours.txt", "link", "shared"].map((name) =>
      `${dir.path}/${name}`
    );
    await Deno.writeTextFile(ours!, "of value");
    await Deno.mkdir(shared!);
    await Deno.chmod(shared!, 0o1777);
    await Deno.symlink(ours!, `${shared}/planted.csv`);
    // Only what it leads to is another user's link.
    await Deno.symlink(`${shared}/planted.csv`, link!);
    await Deno.symlink(`${shared}/nowhere`, `${shared}/dangling.csv`);
    const names = [`${shared}/planted.csv`, link!, `${shared}/dangling.csv`];
    for (const name of names) assertEquals(destination(name).direct, false);
    for (const name of ["planted.csv", "dangling.csv"]) {
      await lchown(`${shared}/${name}`, 12_345, 12_345);
    }
    for (const name of names) {
      assertThrows(() => destination(name), CliError, "is a link of another user");
    }
    // The folder's owner could put anything there anyway, and in other folders nobody else could.
    await Deno.chown(shared!, 12_345, 12_345);
    assertEquals(destination(names[0]!).path, await Deno.realPath(ours!));
    await Deno.chown(shared!, 0, 0);
    await Deno.chmod(shared!, 0o755);
    assertEquals(destination(names[0]!).path, await Deno.realPath(ours!));
    assertEquals(await Deno.readTextFile(ours!), "of value");
  },
});
