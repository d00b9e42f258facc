/**
 * The view on show, its history, and the address that says the same.
 *
 * @module
 */

import { decodeView, encodeView } from "../plotter/view_fragment.ts";
import type { ViewState } from "../plotter/view_state.ts";

/** Views kept to go back to. */
const MAX_HISTORY = 200;

/** Changes closer together than this are one step of the history, ms. */
const STEP_MS = 600;

/** Pause before the address follows the view, ms: a browser takes up to 100 changes in 30 s. */
const ADDRESS_MS = 400;

/** Holds the view. */
export class ViewStore {
  #view: ViewState;
  readonly #back: ViewState[] = [];
  readonly #forward: ViewState[] = [];
  readonly #onChange: (view: ViewState) => void;
  readonly #onProblem: (text: string) => void;
  #changedMs = 0;
  /** True if the last change was none of its own, so that the next one belongs to it. */
  #isGathering = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param onChange Called after every change.
   * @param onProblem Called with what could not be read of an address.
   */
  constructor(onChange: (view: ViewState) => void, onProblem: (text: string) => void) {
    this.#onChange = onChange;
    this.#onProblem = onProblem;
    this.#view = this.#decode();
    addEventListener("hashchange", () => this.#addressChanged());
  }

  /** The view on show. */
  get view(): ViewState {
    return this.#view;
  }

  /** True if there is a view before this one. */
  get canGoBack(): boolean {
    return this.#back.length > 0;
  }

  /** True if there is a view that was gone back from. */
  get canGoForward(): boolean {
    return this.#forward.length > 0;
  }

  /** Address of the view, without a key. */
  get address(): string {
    return `${location.origin}${location.pathname}#${encodeView(this.#view)}`;
  }

  /**
   * Changes the view.
   *
   * @param change Parts that are different now.
   * @param kind A step of the history of its own; or the first of several small changes that are
   * one step, such as the frames of a drag; or a further one of them.
   */
  change(change: Partial<ViewState>, kind: "step" | "begin" | "more" = "step"): void {
    const now = Date.now();
    if (kind !== "more" || !this.#isGathering || now - this.#changedMs > STEP_MS) {
      this.#back.push(this.#view);
      if (this.#back.length > MAX_HISTORY) this.#back.shift();
      this.#forward.length = 0;
    }
    this.#changedMs = now;
    this.#isGathering = kind !== "step";
    this.#show({ ...this.#view, ...change });
  }

  /** Changes the view without a step of the history, as live data does. */
  follow(change: Partial<ViewState>): void {
    this.#show({ ...this.#view, ...change });
  }

  /** Goes back to the view before. */
  back(): void {
    const before = this.#back.pop();
    if (before === undefined) return;
    this.#forward.push(this.#view);
    this.#isGathering = false;
    this.#show(before);
  }

  /** Goes forward again. */
  forward(): void {
    const next = this.#forward.pop();
    if (next === undefined) return;
    this.#back.push(this.#view);
    this.#show(next);
  }

  #show(view: ViewState): void {
    this.#view = view;
    if (this.#timer === undefined) {
      this.#timer = setTimeout(() => this.#writeAddress(), ADDRESS_MS);
      document.body.dataset.address = "behind";
    }
    this.#onChange(view);
  }

  #writeAddress(): void {
    this.#timer = undefined;
    history.replaceState(null, "", `#${encodeView(this.#view)}`);
    document.body.dataset.address = "current";
  }

  #addressChanged(): void {
    const fragment = location.hash.slice(1);
    if (fragment === encodeView(this.#view)) return;
    this.#back.push(this.#view);
    this.#show(this.#decode());
  }

  #decode(): ViewState {
    const { view, problems } = decodeView(location.hash.slice(1));
    if (problems.length > 0) queueMicrotask(() => this.#onProblem(problems.join("; ")));
    return view;
  }
}
