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

/** Runs a program in which WebAssembly cannot be compiled from bytes; what it prints. */
async function withoutCompiling(program: string): Promise<string> {
  const entry = (path: string) => JSON.stringify(new URL(`../../../${path}`, import.meta.url).href);
  const code = `import { kernelBytes, useKernel } from ${entry("src/kernel/loader.ts")};
    import { extendedKernelBytes, sortPoints } from ${entry("src/kernel/mod.ts")};
    import { gridTimes } from ${entry("src/kernel/align.ts")};
    import { phasorArena } from ${entry("src/kernel/phasor_arena.ts")};
    const modules = [
      await WebAssembly.compile(kernelBytes()),
      await WebAssembly.compile(extendedKernelBytes()),
    ];
    const { Module } = WebAssembly;
    WebAssembly.Module = class {
      constructor() { throw new WebAssembly.CompileError("forbidden"); }
      static [Symbol.hasInstance](value) { return value instanceof Module; }
    };
    const attempt = (work) => {
      try { return String(work()); } catch (error) { return error.message; }
    };
    const sort = () =>
      sortPoints({ times: BigInt64Array.of(2n, 1n), values: Float64Array.of(2, 1) }).values;
    const grid = () => gridTimes({ start: 0n, ns: 10n, parts: 1n }, 0n, 3);
    const phasors = () => phasorArena(8).capacity >= 8;
    ${program}`;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", `data:application/javascript,${encodeURIComponent(code)}`],
    cwd: new URL("../../../", import.meta.url),
  }).output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

Deno.test("useKernel: modules compiled elsewhere serve where compiling from bytes is forbidden", async () => {
  const said = await withoutCompiling(`
    console.log(attempt(sort));
    useKernel(...modules);
    console.log([attempt(sort), attempt(grid), attempt(phasors)].join("; "));`);
  assertEquals(said, "forbidden\n1,2; 0,10,20; true\n");
});

Deno.test("useKernel: without its second argument, the rest of the kernel works", async () => {
  const said = await withoutCompiling(`
    useKernel(modules[0]);
    console.log([attempt(sort), attempt(grid)].join("; "));`);
  assertEquals(said, "1,2; forbidden\n");
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
