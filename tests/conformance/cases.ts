/**
 * All cases of the contract.
 *
 * @module
 */

import { ANALYSIS_CASES } from "./cases/analysis_cases.ts";
import { CANCEL_CASES } from "./cases/cancel_cases.ts";
import { CHANGE_CASES } from "./cases/change_cases.ts";
import { CSV_CASES } from "./cases/csv_cases.ts";
import { INSERT_CASES } from "./cases/insert_cases.ts";
import { METADATA_CASES } from "./cases/metadata_cases.ts";
import { RANDOM_CASES } from "./cases/random_cases.ts";
import { READ_CASES } from "./cases/read_cases.ts";
import { SET_CASES } from "./cases/set_cases.ts";
import type { Case } from "./support.ts";

/** The cases, in the order in which they run. */
export const CASES: readonly Case[] = [
  ...INSERT_CASES,
  ...READ_CASES,
  ...CHANGE_CASES,
  ...METADATA_CASES,
  ...SET_CASES,
  ...CSV_CASES,
  ...ANALYSIS_CASES,
  ...RANDOM_CASES,
  ...CANCEL_CASES,
];
