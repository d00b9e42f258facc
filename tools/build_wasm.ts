// deno-lint-ignore-file no-console -- a command line tool
/**
 * Compiles `wasm/` to `src/kernel/kernel.gen.ts`, what pages need, and `src/kernel/extended.gen.ts`, the
 * rest: a module in hexadecimal digits beside the types of its exports. Two builds of the same sources are
 * byte-identical.
 *
 *     deno task build:wasm            compile and write
 *     deno task build:wasm --check    compile and fail if the committed file differs
 *
 * @module
 */

const ROOT = new URL("../", import.meta.url);
const COMPILER = "npm:assemblyscript@0.28.20/asc";

/** A module to compile. */
interface Target {
  /** Entry and generated file. */
  readonly entry: string;
  readonly file: string;
  /** Names in that file. */
  readonly prefix: string;
  readonly exports: string;
  /** The module in words. */
  readonly name: string;
  /** Options of the compiler beside the common ones. */
  readonly options?: readonly string[];
}

const TARGETS: readonly Target[] = [
  {
    entry: "wasm/index.ts",
    file: "src/kernel/kernel.gen.ts",
    prefix: "KERNEL",
    exports: "KernelExports",
    name: "kernel",
  },
  {
    entry: "wasm/extended.ts",
    file: "src/kernel/extended.gen.ts",
    prefix: "EXTENDED",
    exports: "ExtendedExports",
    name: "extended kernel",
  },
  {
    entry: "wasm/phasor_fused.ts",
    file: "src/kernel/fused.gen.ts",
    prefix: "FUSED",
    exports: "FusedExports",
    name: "kernel of phasors with fused multiplication and addition",
    options: ["--enable", "relaxed-simd"],
  },
];

/** Compiles a module: its bytes and the declaration of its exports. */
async function compile(
  { entry, options = [] }: Target,
): Promise<{ wasm: Uint8Array; declaration: string }> {
  const dir = await Deno.makeTempDir();
  try {
    const args = ["run", "-A", "--no-lock", COMPILER, entry, "--config", "asconfig.json"];
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [...args, "--target", "release", "--outFile", `${dir}/kernel.wasm`, ...options],
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
function render(target: Target, wasm: Uint8Array, declaration: string): string {
  // A compressed page has a fifth less of hexadecimal digits than of base64, which hides repetitions.
  const chunks = wasm.toHex().match(/.{1,96}/g) ?? [];
  return [
    "// Generated from wasm/ by `deno task build:wasm`; do not edit.",
    "",
    `/** Exports of the ${target.name}: pointers are byte addresses, 64-bit integers are bigints. */`,
    `export interface ${target.exports} {`,
    ...members(declaration),
    "}",
    "",
    "/** Size of the module, bytes. */",
    `export const ${target.prefix}_BYTES = ${wasm.length};`,
    "",
    "/** The module, hexadecimal. */",
    `export const ${target.prefix}_HEX: string =`,
    ...chunks.map((chunk, i) => `  "${chunk}"${i === chunks.length - 1 ? ";" : " +"}`),
    "",
  ].join("\n");
}

for (const target of TARGETS) {
  const { wasm, declaration } = await compile(target);
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(wasm.slice()));
  if (imports.length > 0) {
    throw new Error(`The kernel must not import anything, it imports ${JSON.stringify(imports)}`);
  }
  const text = render(target, wasm, declaration);
  const file = new URL(target.file, ROOT);
  if (!Deno.args.includes("--check")) {
    await Deno.writeTextFile(file, text);
    console.log(`${target.file}: ${wasm.length} bytes of WebAssembly`);
  } else if (await Deno.readTextFile(file).catch(() => "") === text) {
    console.log(`${target.file} is what wasm/ builds (${wasm.length} bytes)`);
  } else {
    console.error(`${target.file} is not what wasm/ builds: run \`deno task build:wasm\``);
    Deno.exit(1);
  }
}
