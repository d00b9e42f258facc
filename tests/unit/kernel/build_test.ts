import { assertEquals } from "@std/assert";
import { KERNEL_BYTES } from "../../../src/kernel/kernel.gen.ts";
import { kernelBytes } from "../../../src/kernel/loader.ts";

Deno.test("kernelBytes: the embedded module is what it says it is: its size, its exports, no imports", () => {
  const bytes = kernelBytes();
  assertEquals(bytes.length, KERNEL_BYTES);
  const module = new WebAssembly.Module(bytes);
  assertEquals(WebAssembly.Module.imports(module), []);
  const memories = WebAssembly.Module.exports(module).filter(({ kind }) => kind === "memory");
  assertEquals(memories.map(({ name }) => name), ["memory"]);
});

Deno.test("kernelBytes: the kernel needs no permission", async () => {
  const entry = new URL("../../../src/kernel/mod.ts", import.meta.url).href;
  const code = `import { sortPoints } from "${entry}";
    const sorted = sortPoints({ times: BigInt64Array.of(2n, 1n), values: Float64Array.of(2, 1) });
    console.log(sorted.values.join());`;
  const root = new URL("../../../", import.meta.url);
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--no-check",
      "--no-lock",
      `data:application/typescript,${encodeURIComponent(code)}`,
    ],
    cwd: root,
  }).output();
  assertEquals(new TextDecoder().decode(stdout), "1,2\n", new TextDecoder().decode(stderr));
});
