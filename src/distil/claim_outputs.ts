/**
 * Outputs belong to one definition; this marks them, and finds out who has them already.
 *
 * @module
 */

import { BTrDBError, ErrorCode } from "../core/errors.ts";
import type { Parts } from "./distil_plan.ts";
import type { Ledger } from "./ledger.ts";
import { FIRST_KEY, NAME_KEY } from "./ledger_state.ts";
import type { NamedPart } from "./resolve_streams.ts";

/**
 * Marks the outputs.
 *
 * @param ledger Its lease is ours.
 * @throws {BTrDBError} 446 if an output belongs to another definition.
 */
export async function claimOutputs(
  { definition: { name }, outputs, left }: Parts,
  ledger: Ledger,
): Promise<void> {
  const [first, ...others] = outputs;
  const { [NAME_KEY]: owner, [FIRST_KEY]: of } = ledger.annotations;
  if (of !== undefined) throw belongsTo(name, first!, `the derived streams of ${of}`);
  if (owner !== undefined && owner !== name) throw belongsTo(name, first!, JSON.stringify(owner));
  for (const output of others) {
    const [annotations, expected] = await output.stream.annotations(left());
    const { [NAME_KEY]: owner, [FIRST_KEY]: of } = annotations;
    if (owner !== undefined) throw belongsTo(name, output, JSON.stringify(owner));
    if (of === first!.stream.uuid) continue;
    if (of !== undefined) throw belongsTo(name, output, `the derived streams of ${of}`);
    await ledger.guard();
    await output.stream.setAnnotations(
      { [FIRST_KEY]: first!.stream.uuid },
      { ...left(), expected },
    );
  }
}

function belongsTo(name: string, { name: output, stream }: NamedPart, owner: string): BTrDBError {
  return new BTrDBError(
    `Cannot run ${JSON.stringify(name)}: output ${output} (${stream.uuid}) belongs to ${owner}; ` +
      `compute into another stream, or remove its annotations that begin with "distil."`,
    { code: ErrorCode.ObjectInUse, uuid: stream.uuid },
  );
}
