/**
 * Notices that the page is hidden, is seen again, is back on a network, or is on a screen with other
 * pixels.
 *
 * @module
 */

/** Listeners of {@linkcode watchPage}. */
export interface PageHandlers {
  readonly onHide: () => void;
  readonly onShow: () => void;
  readonly onOnline: () => void;
  /** The page came to a screen with other pixels, or was zoomed. */
  readonly onResolution: () => void;
}

/** Watches the page. */
export function watchPage({ onHide, onShow, onOnline, onResolution }: PageHandlers): void {
  document.addEventListener("visibilitychange", () => document.hidden ? onHide() : onShow());
  addEventListener("online", onOnline);
  watchResolution(onResolution);
}

function watchResolution(onChange: () => void): void {
  const query = matchMedia(`(resolution: ${devicePixelRatio}dppx)`);
  query.addEventListener("change", () => {
    onChange();
    watchResolution(onChange);
  }, { once: true });
}
