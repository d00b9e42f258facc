// deno-lint-ignore-file no-console -- a command line tool
/**
 * Writes the pages that are made from the source: docs/cli.md and docs/api.md.
 *
 *     deno task gen:docs            write
 *     deno task gen:docs --check    fail if a committed file differs
 *
 * @module
 */

import { apiPage } from "./support/api_page.ts";
import { cliPage } from "./support/cli_page.ts";

const ROOT = new URL("../", import.meta.url);

const PAGES: Readonly<Record<string, () => Promise<string>>> = {
  "docs/cli.md": cliPage,
  "docs/api.md": () => apiPage(ROOT),
};

/** Formats a page as `deno fmt` does with the committed one. */
async function formatted(text: string): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--ext", "md", "--line-width", "100", "-"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { success, stdout } = await child.output();
  if (!success) throw new Error("deno fmt cannot format the page");
  return new TextDecoder().decode(stdout);
}

if (import.meta.main) {
  for (const [path, make] of Object.entries(PAGES)) {
    const page = await formatted(await make());
    const file = new URL(path, ROOT);
    if (!Deno.args.includes("--check")) {
      await Deno.writeTextFile(file, page);
      console.log(`${path} written`);
    } else if (await Deno.readTextFile(file).catch(() => "") !== page) {
      console.error(`${path} is not what the source says: run \`deno task gen:docs\``);
      Deno.exitCode = 1;
    }
  }
}
