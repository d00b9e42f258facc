/**
 * An upper bound of how long a query becomes when SQLite puts its parts into each other.
 *
 * SQLite copies a common table expression to each place that names it, and the expression of a column of
 * a subquery to each place that names the column. Each level may double the query, so 600 characters
 * take gigabytes and minutes before SQLite asks the authorizer or visits a row. A process that does so is
 * killed; a thread cannot be stopped, and takes the memory of the program (docs/engine.md, "SQL").
 *
 * @module
 */

import { BTrDBError, ErrorCode } from "../../core/errors.ts";

/** Most tokens of a query in a thread with all its parts put in: about half a second, and 75 MB. */
const MAX_TOKENS = 1 << 18;

/** Deepest nesting of queries that is looked at. */
const MAX_DEPTH = 64;

/** Longest chain of common table expressions that is looked at: a longer one has too many tokens anyhow. */
const MAX_CHAIN = 400;

/** Words that are never the name of anything, unless they are quoted. */
const RESERVED: ReadonlySet<string> = new Set(
  ("select from where group order by having limit union all except intersect values as on join " +
    "using and or not in is null isnull notnull between like glob escape case when then else end " +
    "distinct exists collate with").split(" "),
);

/** Words after which a FROM clause is over. */
const AFTER_FROM: ReadonlySet<string> = new Set(
  "select where group having window order limit offset values".split(" "),
);

/** Reserved words that may stand before an alias. */
const BEFORE_ALIAS: ReadonlySet<string> = new Set(["as", "null", "isnull", "notnull", "end"]);

/** Words between the parts of a compound query. */
const COMPOUND: ReadonlySet<string> = new Set(["union", "except", "intersect"]);

/** Words that a query begins with. */
const BEGINNINGS: ReadonlySet<string> = new Set(["select", "values", "with"]);

const TOKEN =
  /\s+|--[^\n]*|\/\*(?:[^*]|\*(?!\/))*(?:\*\/)?|'[^']*'?|"[^"]*"?|`[^`]*`?|\[[^\]]*\]?|\d[\w.]*|[$@:#?][\w$]*|[\w$\u0080-\uffff]+|[^]/y;

/** Part of a query; blanks and comments are none. */
interface Token {
  /** In lower case, without its quotes. */
  readonly text: string;
  /** A word may be a name or mean something; a quoted name is always one. */
  readonly kind: "word" | "quoted" | "text" | "number" | "mark";
}

/** One SELECT, without the queries in it. */
interface Core {
  tokens: number;
  /** Times that each name stands in it. */
  readonly mentions: Map<string, number>;
  /** Names that it gives to its columns, and others that stand in such a place. */
  readonly aliases: Set<string>;
  readonly inFrom: Part[];
  readonly inExpressions: Part[];
}

/** A query in another one: itself, or the name of a common table expression, if it is one. */
type Part = Query | string;

/** A query: several SELECTs if it is compound. */
type Query = Core[];

/** An open parenthesis. */
interface Frame {
  readonly query: Query;
  /** True if the parentheses are around a query. */
  readonly isQuery: boolean;
  /** Token at which it begins. */
  readonly start: number;
  /** Clause that the next token belongs to. */
  clause: "from" | "on" | "expression";
}

/** A query by its structure. */
interface Structure {
  readonly main: Query;
  /** Common table expressions; of two with one name both count. */
  readonly named: Map<string, Query[]>;
  /** Names that stand in the text more than once. */
  readonly repeated: Set<string>;
}

/**
 * Refuses a query that could become too long for a thread.
 *
 * @throws {BTrDBError} 441.
 */
export function checkGrowth(query: string): void {
  const tokens = grownTokens(query);
  if (tokens <= MAX_TOKENS) return;
  const grown = Number.isFinite(tokens) ? `${tokens}` : "endlessly many";
  throw new BTrDBError(
    `the query may have ${grown} tokens when its subqueries are put in, at most ${MAX_TOKENS} are ` +
      "allowed where SQL runs in threads",
    { code: ErrorCode.BadSQLValue },
  );
}

/**
 * Bounds the tokens of a query with all its parts put in.
 *
 * @returns `Infinity` where no bound is known: circles and long chains of names, and deep nesting.
 */
export function grownTokens(query: string): number {
  const structure = structureOf(tokensOf(query));
  if (structure === undefined) return Infinity;
  const { tokens } = new Growth(structure).of(structure.main);
  return tokens < HUGE ? tokens : Infinity;
}

function tokensOf(query: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(query); match !== null; match = TOKEN.exec(query)) {
    const token = tokenOf(match[0]);
    if (token !== undefined) tokens.push(token);
  }
  return tokens;
}

function tokenOf(text: string): Token | undefined {
  const first = text[0]!;
  if (/\s/.test(first) || text.startsWith("--") || text.startsWith("/*")) return undefined;
  const lower = text.toLowerCase();
  if (first === "'") return { text: lower.slice(1, -1), kind: "text" };
  if (/["`[]/.test(first)) return { text: lower.slice(1, -1), kind: "quoted" };
  if (/\d/.test(first)) return { text: lower, kind: "number" };
  if (/[\w\u0080-\uffff]/.test(first)) return { text: lower, kind: "word" };
  return { text: lower, kind: "mark" };
}

function newCore(): Core {
  return { tokens: 0, mentions: new Map(), aliases: new Set(), inFrom: [], inExpressions: [] };
}

/** Finds the queries in a query; `undefined` if they are nested too deep. */
function structureOf(tokens: readonly Token[]): Structure | undefined {
  const named: Structure["named"] = new Map();
  const [once, repeated] = [new Set<string>(), new Set<string>()];
  const main: Query = [newCore()];
  const frames: Frame[] = [{ query: main, isQuery: true, start: -1, clause: "expression" }];
  /** Token at which the parentheses that were closed last were opened. */
  let lastStart = -1;
  for (const [at, token] of tokens.entries()) {
    (once.has(token.text) ? repeated : once).add(token.text);
    const frame = frames.at(-1)!;
    if (token.text === "(" && token.kind === "mark") {
      const next = tokens[at + 1];
      const isQuery = next?.kind === "word" && BEGINNINGS.has(next.text);
      if (!isQuery) {
        const isCall = /word|quoted/.test(tokens[at - 1]?.kind ?? "") && !isJoining(tokens[at - 1]);
        const clause = frame.clause === "from" && !isCall ? "from" : "expression";
        frames.push({ query: frame.query, isQuery, start: at, clause });
        continue;
      }
      if (frames.length > MAX_DEPTH) return undefined;
      const query: Query = [newCore()];
      const name = nameBefore(tokens, at, lastStart);
      if (name !== undefined) named.set(name, [...named.get(name) ?? [], query]);
      else if (frame.clause === "from") frame.query.at(-1)!.inFrom.push(query);
      else frame.query.at(-1)!.inExpressions.push(query);
      frames.push({ query, isQuery, start: at, clause: "expression" });
    } else if (token.text === ")" && token.kind === "mark") {
      if (frames.length === 1) continue; // SQLite will refuse it.
      lastStart = frames.pop()!.start;
    } else enter(frame, token, tokens[at - 1], tokens[at + 1]);
  }
  return { main, named, repeated };
}

function isJoining(token: Token | undefined): boolean {
  return token?.kind === "word" && (token.text === "from" || token.text === "join");
}

/** Name of the common table expression whose query begins with a parenthesis. */
function nameBefore(tokens: readonly Token[], at: number, lastStart: number): string | undefined {
  let i = at - 1;
  if (tokens[i]?.text === "materialized") i--;
  if (tokens[i]?.text === "not") i--;
  if (tokens[i]?.text !== "as") return undefined;
  return tokens[i - 1]?.text === ")" ? tokens[lastStart - 1]?.text : tokens[i - 1]?.text;
}

/** Takes note of a token that is no parenthesis. */
function enter(
  frame: Frame,
  { text, kind }: Token,
  before: Token | undefined,
  after: Token | undefined,
): void {
  if (kind === "word") {
    if (frame.isQuery && COMPOUND.has(text)) {
      frame.query.push(newCore());
      frame.clause = "expression";
    } else if (isJoining({ text, kind }) && before?.text !== "distinct") frame.clause = "from";
    else if (AFTER_FROM.has(text)) frame.clause = "expression";
    else if (text === "on" || text === "using") frame.clause = "on";
  } else if (text === "," && frame.clause === "on") frame.clause = "from";
  const core = frame.query.at(-1)!;
  core.tokens++;
  if (kind === "word" && RESERVED.has(text)) return;
  if (kind === "mark" && text !== "*") return;
  const isColumn = before?.text === "." || after?.text === ".";
  const isOperand = before?.kind === "word" && before.text === "in";
  if (!isColumn) (isOperand ? core.inExpressions : core.inFrom).push(text);
  // A text is no column, a word before a parenthesis a function, and one before a dot a table.
  const isOther = kind === "text" || after?.text === "(" || after?.text === ".";
  if (kind !== "mark" && isAlias(before)) core.aliases.add(text);
  if (!isOther) core.mentions.set(text, (core.mentions.get(text) ?? 0) + 1);
}

/** Tells whether a name must be an alias: it stands behind AS, or behind the end of an expression. */
function isAlias(before: Token | undefined): boolean {
  if (before === undefined || before.kind === "mark") return before?.text === ")";
  return before.kind !== "word" || BEFORE_ALIAS.has(before.text) || !RESERVED.has(before.text);
}

/** Length of a query with all its parts put in. */
interface Size {
  /** Its tokens. */
  readonly tokens: number;
  /** Most times that one name from outside of it stands in it. */
  readonly mentions: number;
}

const NOTHING: Size = { tokens: 0, mentions: 0 };

/** Stands for every larger number, and for no bound: it may be multiplied with 0. */
const HUGE = 1e100;
const ENDLESS: Size = { tokens: HUGE, mentions: HUGE };

/** Adds up what the parts of a query become. */
class Growth {
  readonly #structure: Structure;
  readonly #known = new Map<string, Size>();
  /** Names whose queries are being added up. */
  readonly #open: string[] = [];

  constructor(structure: Structure) {
    this.#structure = structure;
  }

  of(query: Query): Size {
    return sum(query, (core) => this.#ofCore(core));
  }

  #ofCore(core: Core): Size {
    const from = sum(core.inFrom, (part) => this.#ofPart(part));
    const expressions = sum(core.inExpressions, (part) => this.#ofPart(part));
    let most = 1;
    for (const [name, n] of core.mentions) if (name !== "*") most = Math.max(most, n);
    // `*` names all columns once more, and queries in expressions see the columns.
    const seen = most + (core.mentions.get("*") ?? 0) + expressions.mentions;
    // An alias is put in where its own SELECT names it again, with all that it stands for.
    let renamed = 1;
    for (const name of core.aliases) {
      if (!this.#structure.repeated.has(name)) continue;
      renamed = Math.max(renamed, (core.mentions.get(name) ?? 0) - 1 + expressions.mentions);
    }
    return {
      tokens: Math.min(HUGE, renamed * (core.tokens + expressions.tokens + seen * from.tokens)),
      mentions: Math.min(HUGE, renamed * seen * (1 + from.mentions)),
    };
  }

  #ofPart(part: Part): Size {
    return typeof part === "string" ? this.#ofName(part) : this.of(part);
  }

  #ofName(name: string): Size {
    const queries = this.#structure.named.get(name);
    // A query that names itself is recursive, which the authorizer refuses, or has a column of its name.
    if (queries === undefined || this.#open.at(-1) === name) return NOTHING;
    if (this.#open.includes(name)) return ENDLESS;
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    if (this.#open.length === MAX_CHAIN) return ENDLESS;
    this.#open.push(name);
    const size = sum(queries, (query) => this.of(query));
    this.#open.pop();
    this.#known.set(name, size);
    return size;
  }
}

function sum<T>(items: readonly T[], size: (item: T) => Size): Size {
  let [tokens, mentions] = [0, 0];
  for (const item of items) {
    const one = size(item);
    tokens += one.tokens;
    mentions += one.mentions;
  }
  return { tokens, mentions };
}
