/**
 * The rules by which points expire, kept in the database (docs/retention.md).
 *
 * @module
 */

import { BTrDBError, ErrorCode } from "../../core/errors.ts";
import type { RetentionRule } from "../../endpoint/retention.ts";
import { checkParts, damaged } from "../file/checksum.ts";
import type { Database, Row, Statement } from "../file/sqlite.ts";
import { quote } from "../../endpoint/checks_metadata.ts";
import { isPossibleRule } from "./rule_arguments.ts";
import { Refusal } from "../write/transaction.ts";

/** Most rules of a database. */
const MAX_RULES = 1000;

/** Stands for an age that is never reached. */
const NEVER = "never";

/** Rules, found by collection. */
export class RuleSet {
  /** In the order of their prefixes. */
  readonly rules: readonly RetentionRule[];
  readonly #byPrefix: ReadonlyMap<string, RetentionRule>;

  constructor(rules: readonly RetentionRule[]) {
    this.rules = rules;
    this.#byPrefix = new Map(rules.map((rule) => [rule.prefix, rule]));
  }

  /** The rule of a collection: the one with the longest prefix that is the collection or above it. */
  of(collection: string): RetentionRule | undefined {
    for (let at = collection.length; at >= 0; at = collection.lastIndexOf("/", at - 1)) {
      const rule = this.#byPrefix.get(collection.slice(0, at));
      if (rule !== undefined) return rule;
      if (at === 0) return undefined;
    }
    return this.#byPrefix.get("");
  }
}

/** Reads and writes the table of rules. */
export class RetentionRules {
  readonly #readOnly: boolean;
  readonly #all: Statement;
  readonly #countOthers: Statement;
  readonly #set: Statement;
  readonly #remove: Statement;
  #known: RuleSet | undefined;

  /** @param readOnly True where another process may change the rules. */
  constructor(db: Database, readOnly: boolean) {
    this.#readOnly = readOnly;
    this.#all = db.prepare("SELECT prefix, max_age, checksum FROM retention ORDER BY prefix");
    this.#countOthers = db.prepare("SELECT count(*) AS n FROM retention WHERE prefix <> ?");
    this.#set = db.prepare(
      "INSERT OR REPLACE INTO retention (prefix, max_age, checksum) VALUES (?, ?, ?)",
    );
    this.#remove = db.prepare("DELETE FROM retention WHERE prefix = ?");
  }

  /**
   * The rules as they are.
   *
   * @throws {BTrDBError} `CORRUPT` if one is damaged: nothing must expire by a wrong age.
   */
  read(): RuleSet {
    if (this.#known !== undefined) return this.#known;
    const set = new RuleSet(this.#all.all().map(ruleOf));
    if (!this.#readOnly) this.#known = set;
    return set;
  }

  /** Sets a rule, in a transaction, or removes it where `maxAge` is `undefined`. */
  set(prefix: string, maxAge: bigint | null | undefined): void {
    this.#known = undefined;
    if (maxAge === undefined) {
      this.#remove.run(prefix);
      return;
    }
    if (Number(this.#countOthers.get(prefix)!["n"]) >= MAX_RULES) {
      const message = `Cannot set the retention: there are ${MAX_RULES} rules, the maximum`;
      throw new Refusal(new BTrDBError(message, { code: ErrorCode.WrongArgs }));
    }
    const age = maxAge === null ? NEVER : String(maxAge);
    this.#set.run(prefix, age, checkParts(prefix, age));
  }
}

/** A row of the table. Throws `CORRUPT` if it is damaged. */
export function ruleOf(row: Row): RetentionRule {
  const prefix = String(row["prefix"]);
  const age = String(row["max_age"]);
  const isNumber = /^[1-9]\d{0,18}$/.test(age);
  const rule = { prefix, maxAge: isNumber ? BigInt(age) : null };
  const isRead = (isNumber || age === NEVER) && checkParts(prefix, age) === row["checksum"];
  // Ages that nobody can have set would delete what nobody wanted to be deleted.
  if (!isRead || !isPossibleRule(rule)) {
    throw damaged(`the retention of ${quote(prefix)}`);
  }
  return rule;
}
