/**
 * Panning of the plotter's own page from inside of it: one movement of the pointer a frame.
 *
 * @module
 */

import type { Page } from "../../tests/support/chromium.ts";

/**
 * Drags the figure to later times, again and again.
 *
 * @param frames Frames.
 * @param pixels Pixels in a frame.
 */
export async function panPage(page: Page, frames: number, pixels: number): Promise<void> {
  await page.value(`(async () => {
    const figure = document.querySelector('.figure');
    const { left, right, top } = figure.getBoundingClientRect();
    const send = (type, clientX) => figure.dispatchEvent(new PointerEvent(type, {
      bubbles: true, pointerId: 1, isPrimary: true, pointerType: 'mouse',
      clientX, clientY: top + 200, buttons: 1, button: type === 'pointermove' ? -1 : 0,
    }));
    // There is no such pointer.
    figure.setPointerCapture = () => {};
    let x = right - 120;
    send('pointerdown', x);
    for (let i = 0; i < ${frames}; i++) {
      x -= ${pixels};
      send('pointermove', x);
      await new Promise(requestAnimationFrame);
      if (x > left + 200) continue;
      send('pointerup', x);
      x = right - 120;
      send('pointerdown', x);
    }
    send('pointerup', x);
  })()`);
}
