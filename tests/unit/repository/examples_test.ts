import { assertEquals } from "@std/assert";
import { runDeno, withFolder } from "../../support/run.ts";

const EXAMPLES = new URL("../../../examples/", import.meta.url);

/** Lines that each example prints. */
const EXPECTED: Record<string, readonly string[]> = {
  "errors_and_cancelling.ts": [
    "code 404, NoSuchStream, retryable: false",
    "Cannot insert: value of point 1 is NaN, expected a finite number",
    "left after at least 5000 points",
    "aborted: not needed any more",
  ],
  "find_streams.ts": [
    "collection pmu/north",
    "collection pmu/south",
    "L2MAG: pmu/north/L2MAG, pmu/south/L2MAG",
    "2 streams say when they were calibrated",
    "2025-11-02 is now 2026-03-01",
  ],
  "insert_and_query.ts": [
    "12:00:00 21.00 to 21.50, mean 21.35 601 points",
    "12:10:00 20.62 to 21.45, mean 21.06 600 points",
    "12:20:00 20.50 to 20.86, mean 20.60 600 points",
    "12:30:00 20.86 to 21.50, mean 21.28 600 points",
    "12:40:00 20.73 to 21.49, mean 21.17 600 points",
    "12:50:00 20.50 to 20.73, mean 20.58 600 points",
    "after: 21.25 before: 21",
    "before all: null",
  ],
  "kernel_only.ts": [
    "10 10 20 30 | 1 1.5 2 3",
    "10000 windows, first mean 2.950",
    "1 2 3 4 | 0 1 -1 2 | -1 0 1 -1",
  ],
  "merge_to_csv.ts": [
    "6 rows, 347 bytes",
    "Timestamp (ns),Human-Readable Time (UTC),fast,slow",
    "1772323200000000000,2026-03-01T00:00:00Z,0,0.3333333333333333",
    "1772323201000000000,2026-03-01T00:00:01Z,0.1,",
    "1772323202000000000,2026-03-01T00:00:02Z,0.2,",
    "1772323203000000000,2026-03-01T00:00:03Z,0.3,0.25",
    "1772323204000000000,2026-03-01T00:00:04Z,0.4,",
    "1772323205000000000,2026-03-01T00:00:05Z,0.5,",
  ],
  "retention.ts": [
    "60480 points of 1 stream have expired, as expected: true",
    "pmu/events: 86400 points",
    "pmu/substation-7: 25920 points",
    "The file got smaller: true",
  ],
  "serve_and_connect.ts": [
    "BTrDB 5.30, protocol v5",
    "4 windows with means 12, 37, 62, 87",
  ],
  "versions.ts": [
    "versions 11 and 13",
    "version 11: 60000 points, sum 60000",
    "version 13: 60000 points, sum 66000",
    "changed: 2026-03-01T00:00:58.331299840Z to 2026-03-01T00:02:02.755809280Z",
  ],
};

/** The flags in the command that the first comment of an example gives. */
function flagsOf(source: string): string[] {
  const command = /^ \* {5}deno run (.*?)examples\//m.exec(source);
  if (command === null) throw new Error("The first comment gives no command");
  return command[1]!.split(" ").filter((flag) => flag !== "");
}

for (const [name, expected] of Object.entries(EXPECTED)) {
  Deno.test(`examples: ${name} runs as its comment says`, async () => {
    const path = new URL(name, EXAMPLES);
    const flags = flagsOf(await Deno.readTextFile(path));
    await withFolder(async (folder) => {
      const args = ["run", "--quiet", "--no-prompt", ...flags, path.pathname];
      const { code, stdout, stderr } = await runDeno(args, { cwd: folder });
      assertEquals({ code, stderr }, { code: 0, stderr: "" });
      assertEquals(stdout.trimEnd().split("\n"), expected);
    });
  });
}

Deno.test("examples: each has a test and stands in the list", async () => {
  const files = [...Deno.readDirSync(EXAMPLES)].map(({ name }) => name)
    .filter((name) => name.endsWith(".ts")).sort();
  assertEquals(files, Object.keys(EXPECTED));
  const list = await Deno.readTextFile(new URL("README.md", EXAMPLES));
  assertEquals(files.filter((name) => !list.includes(`(${name})`)), []);
});
