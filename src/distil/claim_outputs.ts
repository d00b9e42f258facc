/**
 * Outputs belong to one definition; this marks them, and finds out who has them already.
 *
 * @module
 */

import { isUuid } from "../client/stream_paths.ts";
import { BTrDBError, ErrorCode } from "../core/errors.ts";
import type { Parts } from "./distil_plan.ts";
import type { Ledger } from "./ledger.ts";
import { FIRST_KEY, NAME_KEY, stateOf } from "./ledger_state.ts";
import type { NamedPart } from "./resolve_streams.ts";

/**
 * Marks the outputs.
 *
 * @param ledger Its lease is ours.
 * @throws {BTrDBError} 446 if an output belongs to another definition.
 */
export async function claimOutputs(parts: Parts, ledger: Ledger): Promise<void> {
  const { definition: { name }, outputs, left } = parts;
  const [first, ...others] = outputs;
  const { [NAME_KEY]: owner, [FIRST_KEY]: of } = ledger.annotations;
  if (owner !== undefined && owner !== name) throw belongsTo(name, first!, JSON.stringify(owner));
  if (of !== undefined) {
    await checkAbandoned(parts, first!, of);
    await ledger.remove(FIRST_KEY);
  }
  for (const output of others) {
    const [annotations, expected] = await output.stream.annotations(left());
    const { [NAME_KEY]: owner, [FIRST_KEY]: of } = annotations;
    if (owner !== undefined) throw belongsTo(name, output, JSON.stringify(owner));
    if (of === first!.stream.uuid) continue;
    if (of !== undefined) await checkAbandoned(parts, output, of);
    await ledger.guard();
    const changes = { [FIRST_KEY]: first!.stream.uuid };
    await output.stream.setAnnotations(changes, { ...left(), expected });
  }
}

/** Makes sure that a mark is an old one: the first output that it names knows nothing of it. */
async function checkAbandoned(
  { db, definition: { name }, left }: Parts,
  output: NamedPart,
  of: string | null,
): Promise<void> {
  if (of === null || !isUuid(of)) return;
  const owner = db.streamFromUUID(of);
  if (!await owner.exists(left())) return;
  const state = stateOf((await owner.cachedAnnotations(left()))[0]);
  if (state === undefined || state.outputs.every(({ uuid }) => uuid !== output.stream.uuid)) return;
  throw belongsTo(name, output, JSON.stringify(state.name));
}

function belongsTo(name: string, { name: output, stream }: NamedPart, owner: string): BTrDBError {
  return new BTrDBError(
    `Cannot run ${JSON.stringify(name)}: output ${output} (${stream.uuid}) belongs to ${owner}; ` +
      `compute into another stream, or remove its annotations that begin with "distil."`,
    { code: ErrorCode.ObjectInUse, uuid: stream.uuid },
  );
}
