/**
 * Mouse, touch and pen on the figure: drag pans, wheel and pinch zoom at the pointer, a drag with
 * Shift (or the right button) draws a box.
 *
 * @module
 */

/** A rectangle in CSS pixels of the figure. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Listeners of {@linkcode Gestures}. */
export interface GestureHandlers {
  /** A drag begins at a place; false if it means nothing there. */
  readonly onDragStart: (x: number, y: number) => boolean;
  /** The view moves along with the pointer, pixels since the last call. */
  readonly onPan: (dx: number, dy: number, x: number, y: number) => void;
  /** The view grows (factor > 1 shows more) around a place. */
  readonly onZoom: (factor: number, x: number, y: number, isVertical: boolean) => void;
  /** A box is being drawn. */
  readonly onBox: (box: Box | undefined) => void;
  /** A box was drawn. */
  readonly onBoxEnd: (box: Box) => void;
  /** The pointer is somewhere, or has left. */
  readonly onHover: (x: number | undefined, y: number) => void;
  /** A click that was no drag. */
  readonly onClick: (x: number, y: number, event: PointerEvent) => void;
  readonly onDoubleClick: (x: number, y: number) => void;
  /** A pan or pinch has come to its end. */
  readonly onEnd: () => void;
}

/** A place on the figure, CSS pixels. */
interface Place {
  readonly x: number;
  readonly y: number;
}

/** Movement from which a press is a drag, CSS pixels. */
const DRAG = 4;

/** Zoom of one notch of a wheel, 100 to 120 pixels. */
const NOTCH = 1.25;

/** Watches a figure. */
export class Gestures {
  readonly #target: HTMLElement;
  readonly #handlers: GestureHandlers;
  readonly #pointers = new Map<number, Place>();
  #mode: "idle" | "pressed" | "pan" | "box" | "pinch" = "idle";
  #isBox = false;
  #origin: Place = { x: 0, y: 0 };
  #last: Place = { x: 0, y: 0 };
  #distance = 0;
  /** Corner of the figure while it is pressed: to ask in every frame makes the page lay out twice. */
  #corner: Place | undefined;

  constructor(target: HTMLElement, handlers: GestureHandlers) {
    this.#target = target;
    this.#handlers = handlers;
    target.addEventListener("pointerdown", (event) => this.#down(event));
    target.addEventListener("pointermove", (event) => this.#move(event));
    target.addEventListener("pointerup", (event) => this.#up(event));
    target.addEventListener("pointercancel", (event) => this.#up(event));
    target.addEventListener("pointerleave", () => {
      if (this.#mode === "idle") handlers.onHover(undefined, 0);
    });
    target.addEventListener("contextmenu", (event) => event.preventDefault());
    target.addEventListener("dblclick", (event) => {
      if (isControl(event)) return;
      const { x, y } = this.#place(event);
      handlers.onDoubleClick(x, y);
    });
    target.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
  }

  /** Gives up a box that is being drawn; true if there was one. */
  cancel(): boolean {
    if (this.#mode !== "box") return false;
    this.#mode = "idle";
    this.#handlers.onBox(undefined);
    return true;
  }

  #place(event: MouseEvent): Place {
    const { x, y } = this.#corner ?? this.#target.getBoundingClientRect();
    return { x: event.clientX - x, y: event.clientY - y };
  }

  #down(event: PointerEvent): void {
    if (isControl(event) || event.button === 1) return;
    if (this.#pointers.size === 0) this.#corner = this.#target.getBoundingClientRect();
    const place = this.#place(event);
    this.#pointers.set(event.pointerId, place);
    if (this.#pointers.size === 2) return this.#beginPinch();
    if (this.#pointers.size > 2) return;
    if (!this.#handlers.onDragStart(place.x, place.y)) return;
    this.#target.setPointerCapture(event.pointerId);
    this.#mode = "pressed";
    this.#isBox = event.shiftKey || event.button === 2;
    this.#origin = this.#last = place;
  }

  #beginPinch(): void {
    this.cancel();
    this.#mode = "pinch";
    const { distance, x, y } = this.#pinch();
    this.#distance = distance;
    this.#last = { x, y };
  }

  #pinch(): { distance: number; x: number; y: number } {
    const [a, b] = [...this.#pointers.values()] as [Place, Place];
    const distance = Math.max(8, Math.hypot(a.x - b.x, a.y - b.y));
    return { distance, x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
  }

  #move(event: PointerEvent): void {
    const place = this.#place(event);
    if (this.#pointers.has(event.pointerId)) this.#pointers.set(event.pointerId, place);
    if (this.#mode === "idle") {
      if (isControl(event)) this.#handlers.onHover(undefined, 0);
      else this.#handlers.onHover(place.x, place.y);
      return;
    }
    if (this.#mode === "pinch") return this.#movePinch();
    const far = Math.hypot(place.x - this.#origin.x, place.y - this.#origin.y) >= DRAG;
    if (this.#mode === "pressed" && far) {
      this.#mode = this.#isBox ? "box" : "pan";
      this.#target.classList.toggle("panning", this.#mode === "pan");
    }
    if (this.#mode === "pan") {
      this.#handlers.onPan(place.x - this.#last.x, place.y - this.#last.y, place.x, place.y);
      this.#last = place;
    } else if (this.#mode === "box") this.#handlers.onBox(boxOf(this.#origin, place));
  }

  #movePinch(): void {
    const { distance, x, y } = this.#pinch();
    this.#handlers.onPan(x - this.#last.x, y - this.#last.y, x, y);
    this.#handlers.onZoom(this.#distance / distance, x, y, false);
    this.#distance = distance;
    this.#last = { x, y };
  }

  #up(event: PointerEvent): void {
    if (!this.#pointers.delete(event.pointerId)) return;
    const mode = this.#mode;
    const place = this.#place(event);
    if (this.#pointers.size === 0) this.#corner = undefined;
    this.#target.classList.remove("panning");
    if (mode === "pinch") {
      if (this.#pointers.size >= 2) return;
      // The finger that stays goes on panning.
      const [rest] = this.#pointers.values();
      this.#mode = rest === undefined ? "idle" : "pan";
      if (rest !== undefined) this.#origin = this.#last = rest;
      return this.#handlers.onEnd();
    }
    this.#mode = "idle";
    if (mode === "pressed" && event.type === "pointerup") {
      this.#handlers.onClick(place.x, place.y, event);
    } else if (mode === "pan") this.#handlers.onEnd();
    else if (mode === "box") {
      this.#handlers.onBox(undefined);
      if (event.type === "pointerup") this.#handlers.onBoxEnd(boxOf(this.#origin, place));
    }
  }

  #wheel(event: WheelEvent): void {
    if (isControl(event)) return;
    event.preventDefault();
    const { x, y } = this.#place(event);
    const pixels = event.deltaMode === 0 ? 1 : event.deltaMode === 1 ? 33 : 400;
    const [dx, dy] = [event.deltaX * pixels, event.deltaY * pixels];
    // Sideways on a touchpad, or with Shift on a mouse: pan.
    if (Math.abs(dx) > Math.abs(dy) || (event.shiftKey && !event.ctrlKey)) {
      this.#handlers.onPan(-(dx || dy), 0, x, y);
      return this.#handlers.onEnd();
    }
    // Pinches on touchpads arrive as small wheel steps with Ctrl.
    const strength = event.ctrlKey ? 4 : 1;
    const factor = NOTCH ** Math.max(-4, Math.min(4, strength * dy / 110));
    this.#handlers.onZoom(factor, x, y, event.altKey);
    this.#handlers.onEnd();
  }
}

function boxOf(a: Place, b: Place): Box {
  return {
    left: Math.min(a.x, b.x),
    top: Math.min(a.y, b.y),
    right: Math.max(a.x, b.x),
    bottom: Math.max(a.y, b.y),
  };
}

/** Tells whether an event is for a button or text over the figure. */
function isControl(event: Event): boolean {
  return event.target instanceof Element && event.target.closest(".legend, .empty") !== null;
}
