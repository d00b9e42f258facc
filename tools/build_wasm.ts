// deno-lint-ignore-file no-console -- a command line tool
/**
 * Compiles `wasm/` to `src/kernel/kernel.gen.ts`: the module as base64 beside the types of its exports.
 * Two builds of the same sources are byte-identical.
 *
 *     deno task build:wasm            compile and write
 *     deno task build:wasm --check    compile and fail if the committed file differs
 *
 * @module
 */

const ROOT = new URL("../", import.meta.url);
const TARGET = new URL("src/kernel/kernel.gen.ts", ROOT);
const COMPILER = "npm:assemblyscript@0.28.20/asc";

/** Compiles the sources; the module's bytes and the declaration of its exports. */
async function compile(): Promise<{ wasm: Uint8Array; declaration: string }> {
  const dir = await Deno.makeTempDir();
  try {
    const args = ["run", "-A", "--no-lock", COMPILER, "--config", "asconfig.json"];
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [...args, "--target", "release", "--outFile", `${dir}/kernel.wasm`],
      cwd: ROOT,
    }).output();
    if (!success) throw new Error(`The compiler failed:\n${new TextDecoder().decode(stderr)}`);
    return {
      wasm: await Deno.readFile(`${dir}/kernel.wasm`),
      declaration: await Deno.readTextFile(`${dir}/kernel.d.ts`),
    };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** The members of the exports interface, from the compiler's declaration file. */
function members(declaration: string): string[] {
  const lines = ["  readonly memory: WebAssembly.Memory;"];
  for (const match of declaration.matchAll(/export function (\w+)\(([^)]*)\): ([^;]+);/g)) {
    lines.push(`  ${match[1]}(${match[2]}): ${match[3]};`);
  }
  return lines;
}

/** The generated module's text. */
function render(wasm: Uint8Array, declaration: string): string {
  const base64 = btoa(Array.from(wasm, (byte) => String.fromCharCode(byte)).join(""));
  const chunks = base64.match(/.{1,96}/g) ?? [];
  return [
    "// Generated from wasm/ by `deno task build:wasm`; do not edit.",
    "",
    "/** Exports of the kernel: pointers are byte addresses, 64-bit integers are bigints. */",
    "export interface KernelExports {",
    ...members(declaration),
    "}",
    "",
    "/** Size of the module, bytes. */",
    `export const KERNEL_BYTES = ${wasm.length};`,
    "",
    "/** The module, base64. */",
    "export const KERNEL_BASE64: string =",
    ...chunks.map((chunk, i) => `  "${chunk}"${i === chunks.length - 1 ? ";" : " +"}`),
    "",
  ].join("\n");
}

const { wasm, declaration } = await compile();
const imports = WebAssembly.Module.imports(new WebAssembly.Module(wasm.slice()));
if (imports.length > 0) {
  throw new Error(`The kernel must not import anything, it imports ${JSON.stringify(imports)}`);
}
const text = render(wasm, declaration);
if (Deno.args.includes("--check")) {
  const committed = await Deno.readTextFile(TARGET).catch(() => "");
  if (committed !== text) {
    console.error("src/kernel/kernel.gen.ts is not what wasm/ builds: run `deno task build:wasm`");
    Deno.exit(1);
  }
  console.log(`src/kernel/kernel.gen.ts is what wasm/ builds (${wasm.length} bytes)`);
} else {
  await Deno.writeTextFile(TARGET, text);
  console.log(`src/kernel/kernel.gen.ts: ${wasm.length} bytes of WebAssembly`);
}
