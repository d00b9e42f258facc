/**
 * Collects the fields of a configuration frame; each must fit into its bytes.
 *
 * @module
 */

import { text as checkText } from "../../client/arguments.ts";
import { invalidType, outOfRange } from "../../core/argument_error.ts";
import { describe } from "../../core/describe.ts";
import { integerOption } from "./options.ts";

/** Action of errors about a configuration. */
export const CONFIGURATION = "write the configuration";

/** Collects big-endian fields. */
export class FieldWriter {
  readonly #bytes: number[] = [];

  u8(name: string, value: number): void {
    this.#integer(name, value, 1, 0, 255);
  }
  u16(name: string, value: number): void {
    this.#integer(name, value, 2, 0, 65_535);
  }
  i16(name: string, value: number): void {
    this.#integer(name, value, 2, -32_768, 32_767);
  }
  u32(name: string, value: number): void {
    this.#integer(name, value, 4, 0, 0xffff_ffff);
  }
  i32(name: string, value: number): void {
    this.#integer(name, value, 4, -0x8000_0000, 0x7fff_ffff);
  }
  f32(name: string, value: number): void {
    if (typeof value !== "number") {
      throw invalidType(
        `Cannot ${CONFIGURATION}: ${name} is ${describe(value)}, expected a number`,
      );
    }
    const view = new DataView(new ArrayBuffer(4));
    view.setFloat32(0, value);
    this.raw(new Uint8Array(view.buffer));
  }

  #integer(name: string, value: number, bytes: number, least: number, most: number): void {
    integerOption(CONFIGURATION, value, name, least, most);
    for (let i = bytes - 1; i >= 0; i--) this.#bytes.push(value >> 8 * i & 255);
  }

  raw(bytes: Iterable<number>): void {
    for (const byte of bytes) this.#bytes.push(byte);
  }

  fixedName(name: string): void {
    const bytes = new TextEncoder().encode(checkText(CONFIGURATION, name, "name"));
    if (bytes.length > 16) {
      throw outOfRange(
        `Cannot write the name ${JSON.stringify(name)}: ${bytes.length} bytes, ` +
          "expected at most 16; CFG-3 takes 255",
      );
    }
    this.raw(bytes);
    for (let i = bytes.length; i < 16; i++) this.#bytes.push(32);
  }

  sizedName(name: string): void {
    const bytes = new TextEncoder().encode(checkText(CONFIGURATION, name, "name"));
    if (bytes.length > 255) {
      throw outOfRange(
        `Cannot write a name of ${bytes.length} bytes, expected at most 255`,
      );
    }
    this.#bytes.push(bytes.length);
    this.raw(bytes);
  }

  bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}
