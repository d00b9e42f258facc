/**
 * Paths that no file can have, wherever a program may name one. A NUL ended as a raw error of the runtime,
 * `The argument 'path' must be a string … without null bytes`, which named no argument of this package; an
 * empty path left a file `-lock` in the working folder, or was an error of the disk.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { openParquet, writeParquet } from "../../../src/io/parquet.ts";
import { compactFile, connect, verifyFile } from "../../../src/connect/mod.ts";
import { ARGUMENT_ERROR_CODE } from "../../../src/core/argument_error.ts";
import { checkedPath, checkPath } from "../../../src/core/check_path.ts";
import { BTrDBError } from "../../../src/core/errors.ts";
import { pathProblem } from "../../../src/core/path_problem.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import { openCapture } from "../../../src/ingest/c37118/open_capture.ts";
import { PointSpool } from "../../../src/ingest/c37118/point_spool.ts";
import { openComtrade } from "../../../src/ingest/comtrade/open_comtrade.ts";
import { writeComtrade } from "../../../src/ingest/comtrade/write_comtrade.ts";
import {
  filesIn,
  followFile,
  importFile,
  openSource,
  readColumnMeta,
} from "../../../src/ingest/mod.ts";
import { ImportError } from "../../../src/ingest/errors.ts";
import { readCertificate } from "../../../src/server/certificate.ts";
import { verdictOf } from "../../../src/cli/errors.ts";
import { filePath } from "../../../src/cli/words/file_target.ts";
import { until } from "../../support/until.ts";

Deno.test("checkPath: refuses what no path is, and escapes it", () => {
  const refused: [string, string][] = [
    ["", 'Cannot open: file is "", expected a path'],
    ["a\0b\x1b[2J", 'Cannot open: file is "a\\u0000b\\u001b[2J", expected a path without NUL'],
  ];
  for (const [path, message] of refused) {
    const error = assertThrows(() => checkPath("open", path, "file"), TypeError);
    assertEquals([error.message, (error as { code?: unknown }).code], [
      message,
      ARGUMENT_ERROR_CODE,
    ]);
  }
  checkPath("open", " ", "file");
  assertEquals(checkedPath("open", new URL("file:///a%20b"), "file"), "/a b");
  const wrong = [
    new URL("file:///a%00b"),
    new URL("https://example.org/a"),
    new URL("file:///a%2Fb"),
  ];
  for (const url of wrong) {
    const error = assertThrows(
      () => checkedPath("open", url, "file"),
      TypeError,
      "Cannot open: file is ",
    );
    assertEquals((error as { code?: unknown }).code, ARGUMENT_ERROR_CODE);
  }
});

Deno.test("filePath: is the path that connect opens, and refuses what no path is", () => {
  assertEquals(filePath("file:a b.btrdb"), "a b.btrdb");
  assertEquals(filePath("file:///tmp/a%20b.btrdb"), "/tmp/a b.btrdb");
  assertEquals([filePath("file:"), filePath("memory:")], ["", undefined]);
  // One with a NUL was looked for, and one that is not encoded right was "URI malformed".
  for (const target of ["file:a\0b", "file:///a%00b", "file:///a%zz"]) {
    const error = assertThrows(() => filePath(target), TypeError, "Cannot connect: target is ");
    assertEquals(verdictOf(error).exit, 2);
  }
});

/** All that takes a path, by the name of the argument in the error. */
async function doors(folder: string) {
  const db = await connect("memory:");
  const stream = await db.create(crypto.randomUUID(), "a");
  await stream.insert([[1n, 1]]);
  const csv = `${folder}/a.csv`;
  await Deno.writeTextFile(csv, "time,a\n2020-01-01T00:00:00Z,2\n");
  const open: [string, (path: string) => Promise<unknown>][] = [
    ["target", async (path) => void await closed(connect(`file:${path}`))],
    ["path", async (path) => void await closed(openEngine({ path }))],
    ["path", async (path) => void await closed(openEngine({ path, readOnly: true }))],
    ["path", (path) => verifyFile(path)],
    ["path", (path) => compactFile(path)],
    ["tls.cert", (path) => readCertificate({ cert: path, key: "-----BEGIN" })],
    ["tls.key", (path) => readCertificate({ cert: "-----BEGIN", key: path })],
    ["input", (path) => importFile(db, path, { stateFolder: folder })],
    ["stateFolder", (path) => importFile(db, csv, { stateFolder: path })],
    ["input", (path) => openSource(path)],
    ["source", (path) => followFile(db, path, { stateFolder: folder })],
    ["stateFolder", (path) => followFile(db, csv, { stateFolder: path })],
    ["folder", (path) => filesIn(path)],
    ["path", (path) => readColumnMeta(path)],
    ["input", (path) => openComtrade(path)],
    ["path", (path) => openCapture(path)],
    ["source", (path) => openParquet(path)],
  ];
  const make: typeof open = [
    ["path", (path) => writeComtrade(path, [])],
    ["spoolFolder", (path) => PointSpool.open(path, 1)],
    ["sink", (path) => writeParquet(path, [])],
    [
      "sink",
      (path) => db.writeCSV(path, { queryType: "raw", start: 0n, end: 9n, streams: [{ stream }] }),
    ],
  ];
  return { open, make, [Symbol.asyncDispose]: () => db.close() };
}

/** Closes at once what is opened against expectation. */
async function closed(opened: Promise<AsyncDisposable>): Promise<void> {
  await using _ = await opened;
}

Deno.test("checkPath: an empty path and one with a NUL are errors that name the argument, everywhere", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await using all = await doors(folder);
    const names = () => [...Deno.readDirSync(".")].map(({ name }) => name);
    const before = new Set(names());
    for (const [name, use] of [...all.open, ...all.make]) {
      for (const path of ["", `${folder}/a\0b`]) {
        const error = await assertRejects(() => use(path), Error);
        const { message } = error;
        assertEquals((error as { code?: unknown }).code, ARGUMENT_ERROR_CODE, message);
        assert(message.includes(name), `${name}: ${message}`);
        assert(path === "" || message.includes("a\\u0000b"), message);
        assertEquals(verdictOf(error).exit, 2);
      }
    }
    await assertRejects(() => connect("file:///a%00b"), TypeError, "has a NUL in its path");
    // Tests that run beside may have something there for a moment.
    await until("nothing was left there", () => names().every((name) => before.has(name)));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test({
  name: "pathProblem: paths that lead nowhere are errors of the package, which name the path",
  ignore: Deno.build.os === "windows",
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      await using all = await doors(folder);
      await Deno.symlink(`${folder}/one`, `${folder}/two`);
      await Deno.symlink(`${folder}/two`, `${folder}/one`);
      const paths = [`${folder}/${"n".repeat(300)}`, `${folder}/one`, `${folder}/a.csv/b.csv`];
      for (const [name, use] of all.open) {
        for (const path of paths) {
          const error = await assertRejects(() => use(path), Error);
          const isOurs = error instanceof BTrDBError || error instanceof ImportError ||
            (error as { code?: unknown }).code === ARGUMENT_ERROR_CODE;
          assert(isOurs, `${name} ${path}: ${error.name} ${error.message}`);
          assert(error.message.includes(path), error.message);
        }
      }
      // The folder of an import's record may be a file, and is none of what is opened.
      for (const [name, use] of all.open.filter(([name]) => !/Folder|folder|source/.test(name))) {
        const error = await assertRejects(() => use(folder), Error, folder);
        assert(!/EISDIR|os error/.test(error.message), `${name}: ${error.message}`);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("pathProblem: leaves errors of other kinds, and missing permissions of Deno, as they are", () => {
  for (
    const error of [undefined, "text", new Error("a"), { code: "ENOENT" }, { code: "toString" }]
  ) {
    assertEquals(pathProblem(error), undefined);
  }
  assertEquals(pathProblem({ code: "EACCES", name: "NotCapable" }), undefined);
  assertEquals(pathProblem({ code: "EACCES" }), "permission denied");
  const denied = Object.assign(new Error("EACCES: permission denied, open 'a'"), {
    code: "EACCES",
  });
  assertEquals(verdictOf(denied), { exit: 1, message: denied.message, hint: "check the path" });
});
