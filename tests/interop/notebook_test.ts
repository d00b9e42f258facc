/**
 * The notebook of the examples, executed by nbclient with Deno as its kernel: outputs are tables and
 * pictures, and say what docs/analysis.md says.
 */

import { assert, assertEquals } from "@std/assert";
import { pythonWith } from "./support/cache.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const NOTEBOOK = `${ROOT}examples/notebooks/event.ipynb`;
const SCRIPT = new URL("python/run_notebook.py", import.meta.url).pathname;

interface Output {
  output_type: string;
  text?: string;
  data?: Record<string, unknown>;
}

/** Executes the notebook with a kernel that is known in a folder of its own alone. */
async function outputs(): Promise<Output[][]> {
  const python = await pythonWith("nbclient", ["nbclient==0.11.0", "ipykernel==7.1.0"]);
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/kernels/deno`, { recursive: true });
    const spec = {
      argv: [Deno.execPath(), "jupyter", "--kernel", "--conn", "{connection_file}"],
      display_name: "Deno",
      language: "typescript",
    };
    await Deno.writeTextFile(`${folder}/kernels/deno/kernel.json`, JSON.stringify(spec));
    const command = new Deno.Command(python, {
      args: [SCRIPT, NOTEBOOK, `${ROOT}examples/notebooks`],
      env: { JUPYTER_PATH: folder, NO_COLOR: "1" },
    });
    const { success, stdout, stderr } = await command.output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    return JSON.parse(new TextDecoder().decode(stdout));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs after which something is wrong: nbclient loses outputs that come after a cell is said to be done. */
const ATTEMPTS = 5;

Deno.test("event.ipynb: nbclient executes it, with tables, pictures and the results of the page", async () => {
  for (let attempt = 1;; attempt++) {
    const cells = await outputs();
    try {
      return check(cells);
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    }
  }
});

function check(cells: readonly Output[][]): void {
  const html = (cell: number): string =>
    cells[cell]!.map(({ data }) => String(data?.["text/html"] ?? "")).join("");
  const text = (cell: number): string => cells[cell]!.map((output) => output.text ?? "").join("");
  assert(html(1).includes("<b>4 streams</b>") && html(1).includes("2,592,000"), html(1));
  assert(html(1).includes("data:image/svg+xml;base64,"));
  assert(text(2).includes("90 frames missing between 2026-03-01T06:11:01.966906666Z"), text(2));
  assert(text(3).includes("lowest frequency near 2026-03-01T14:23:11"), text(3));
  assert(html(3).includes("rows × 2 columns"), html(3));
  assert(text(4).includes("in the east at 2026-03-01T14:23:07.8"), text(4));
  assert(text(4).includes("angle from 29° to -13°"), text(4));
  const mimes = cells[5]!.flatMap(({ data }) => Object.keys(data ?? {}));
  assertEquals(mimes, ["application/vnd.vegalite.v5+json"]);
  for (const output of cells.flat()) assert(output.output_type !== "error", JSON.stringify(output));
}
