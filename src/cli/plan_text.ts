/**
 * Plans of imports for people.
 *
 * @module
 */

import type { Plan, PlannedColumn } from "../ingest/mod.ts";
import { escapeLine } from "./terminal/escape.ts";
import { plural } from "./terminal/format.ts";
import { formatDuration } from "./words/durations.ts";
import { formatTime } from "./words/times.ts";

/** Columns shown in full. */
const MOST_COLUMNS = 50;

/** A plan as text. */
export function planText(plan: Plan, tz: string): string {
  // Each on one line, whatever the names and texts in it are.
  const lines = [plan.file, `  format: ${plan.format}`];
  for (const [word, value] of plan.about) lines.push(`  ${word}: ${value}`);
  const time = (ns: bigint | undefined): string => ns === undefined ? "none" : formatTime(ns, tz);
  lines.push(
    `  first time: ${time(plan.first)}`,
    `  last time: ${time(plan.last)}${plan.complete ? "" : ", of the rows looked at"}`,
    `  looked at: ${plural(plan.rows, "row")}; typical step ${
      plan.step === undefined ? "none" : formatDuration(plan.step)
    }; ${plural(plan.gaps, "gap")}, ${plural(plan.duplicates, "duplicate time")}, ${
      plural(plan.backward, "backward time")
    }`,
    "  columns:",
  );
  for (const column of plan.columns.slice(0, MOST_COLUMNS)) {
    const unit = column.unit === undefined ? "" : ` in ${column.unit}`;
    const exists = column.exists === true ? " (exists)" : "";
    lines.push(
      `    ${column.name} -> ${column.stream}${exists}${unit}: ${valuesText(column)}, ` +
        `${column.missing} missing`,
    );
  }
  if (plan.columns.length > MOST_COLUMNS) {
    lines.push(`    … and ${plan.columns.length - MOST_COLUMNS} more`);
  }
  for (const { name, reason } of plan.omitted) {
    lines.push(`  left out: ${name}, ${reason}`);
  }
  for (const warning of plan.warnings) lines.push(`  warning: ${warning}`);
  return lines.map(escapeLine).join("\n");
}

function valuesText({ values, min, max }: PlannedColumn): string {
  return values.length === 0 ? "no values" : `${values.join(", ")} …, ${min} to ${max}`;
}
