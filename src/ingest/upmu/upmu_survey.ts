/**
 * First pass over a file of a µPMU: its blocks and what is odd about them.
 *
 * @module
 */

import { ImportError } from "../errors.ts";
import type { Rereadable } from "../format.ts";
import { START } from "../source.ts";
import type { Survey } from "../surveyed_source.ts";
import { BlockPass } from "./block_pass.ts";
import { type BlockHeader, STANDARD_BYTES, writeTimes } from "./second_block.ts";

/** Findings of the first pass. */
export interface UpmuSurvey extends Survey {
  /** Number of blocks with an expansion. */
  readonly expanded: number;
}

/**
 * Reads a file once to know its blocks.
 *
 * @throws {ImportError} If it holds no whole block, or one without a date.
 */
export async function surveyUpmu(
  input: Rereadable,
  name: string,
  skipBadRows: boolean,
  signal: AbortSignal | undefined,
): Promise<UpmuSurvey> {
  const pass = new BlockPass(input.read(START.offset), START.offset);
  let [blocks, expanded, bad, badBytes, leaps, repeats, others] = [0, 0, 0, 0, 0, 0, 0];
  let interval: number | undefined;
  let last: BlockHeader | undefined;
  for await (const { view, offset, bytes, isExpanded, header } of pass.blocks()) {
    signal?.throwIfAborted();
    if (typeof header === "string") {
      if (!skipBadRows) throw badBlock(name, offset, header);
      bad++;
      badBytes += bytes;
      continue;
    }
    blocks++;
    if (isExpanded) expanded++;
    if (view.getInt32(24, true) === 60) leaps++;
    if (last !== undefined && header.time <= last.time) repeats++;
    last = header;
    interval ??= header.interval;
    if (header.interval !== interval) others++;
  }
  if (last === undefined) {
    throw new ImportError(
      `Cannot read ${name}: there is no whole block of a µPMU in it, of ${STANDARD_BYTES} bytes ` +
        "or more",
    );
  }
  const notices: string[] = [];
  if (pass.cutBytes > 0) {
    notices.push(`Left out a cut block of ${pass.cutBytes} bytes at the end of ${name}`);
  }
  if (bad > 0) notices.push(`Left out ${badBytes} bytes of ${name} in ${bad} broken blocks`);
  if (leaps > 0) {
    notices.push(
      leaps === 1
        ? `1 leap second in ${name} has the time of the second after it`
        : `${leaps} leap seconds in ${name} have the times of the seconds after them`,
    );
  }
  const times = new BigInt64Array(last.readings);
  writeTimes(last, times);
  const warnings: string[] = [];
  if (repeats > 0) {
    warnings.push(
      `${repeats} of ${blocks} blocks in ${name} are of a second that is not after that of the block ` +
        "before",
    );
  }
  if (others > 0) {
    warnings.push(
      `${others} of ${blocks} blocks in ${name} have another interval than the first, ` +
        "are they damaged?",
    );
  }
  return {
    expanded,
    last: times.at(-1)!,
    notices,
    warnings,
    about: [
      ["blocks", `${blocks} of one second${expanded > 0 ? `, ${expanded} of them expanded` : ""}`],
      ["readings", `${last.readings} a second`],
    ],
  };
}

/** The error of a block that cannot be read. */
export function badBlock(name: string, offset: number, problem: string): ImportError {
  return new ImportError(`Cannot read ${name}: the block at byte ${offset} is broken, ${problem}`, {
    hint: "--bad-rows skip leaves such blocks out",
  });
}
