import { assertEquals } from "@std/assert";
import { EXTENDED_BYTES, EXTENDED_HEX } from "../../../src/kernel/extended.gen.ts";
import { FUSED_BYTES, FUSED_HEX } from "../../../src/kernel/fused.gen.ts";
import { KERNEL_BYTES } from "../../../src/kernel/kernel.gen.ts";
import { kernelBytes, moduleBytes } from "../../../src/kernel/loader.ts";

Deno.test("kernelBytes: the embedded module is what it says it is: its size, its exports, no imports", () => {
  for (
    const [bytes, size] of [
      [kernelBytes(), KERNEL_BYTES],
      [moduleBytes(EXTENDED_HEX), EXTENDED_BYTES],
      [moduleBytes(FUSED_HEX), FUSED_BYTES],
    ] as const
  ) {
    assertEquals(bytes.length, size);
    const module = new WebAssembly.Module(bytes);
    assertEquals(WebAssembly.Module.imports(module), []);
    const memories = WebAssembly.Module.exports(module).filter(({ kind }) => kind === "memory");
    assertEquals(memories.map(({ name }) => name), ["memory"]);
  }
});

Deno.test("useKernel: a module compiled elsewhere serves where compiling from bytes is forbidden", async () => {
  const entry = new URL("../../../src/kernel/loader.ts", import.meta.url).href;
  const code = `import { kernelBytes, useKernel } from "${entry}";
    import { sortPoints } from "${new URL("../../../src/kernel/mod.ts", import.meta.url).href}";
    const module = await WebAssembly.compile(kernelBytes());
    WebAssembly.Module = class { constructor() { throw new WebAssembly.CompileError("forbidden"); } };
    const sort = () =>
      sortPoints({ times: BigInt64Array.of(2n, 1n), values: Float64Array.of(2, 1) }).values.join();
    try { sort(); } catch (error) { console.log(error.message); }
    useKernel(module);
    console.log(sort());`;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", `data:application/javascript,${encodeURIComponent(code)}`],
    cwd: new URL("../../../", import.meta.url),
  }).output();
  const said = new TextDecoder().decode(stdout);
  assertEquals(said, "forbidden\n1,2\n", new TextDecoder().decode(stderr));
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
