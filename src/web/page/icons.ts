/**
 * Drawings on buttons, as path data on a grid of 16 × 16.
 *
 * @module
 */

/** Path data by what is drawn. */
export const ICONS = {
  menu: "M2 4h12M2 8h12M2 12h12",
  search: "M7 2.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 0 0 0-9M10.5 10.5L14 14",
  chevron: "M6 4l4 4l-4 4",
  close: "M4 4l8 8M12 4l-8 8",
  back: "M6.5 3.5L2.5 7.5L6.5 11.5M3 7.5h6.5a4 4 0 0 1 0 8H8",
  forward: "M9.5 3.5L13.5 7.5L9.5 11.5M13 7.5H6.5a4 4 0 0 0 0 8H8",
  fit: "M2 8h12M5 5L2 8l3 3M11 5l3 3l-3 3",
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  live:
    "M8 6.5a1.5 1.5 0 1 0 0 3a1.5 1.5 0 0 0 0-3M4.5 4.5a5 5 0 0 0 0 7M11.5 4.5a5 5 0 0 1 0 7M2.4 2.4a8 8 0 0 0 0 11.2M13.6 2.4a8 8 0 0 1 0 11.2",
  share: "M8 10V2M5 4.5L8 1.5l3 3M3.5 8v6h9V8",
  theme: "M8 2a6 6 0 1 0 0 12V2",
  help: "M6 6a2 2 0 1 1 2.6 1.9c-.4.2-.6.5-.6 1V10M8 12.4v.2",
  table: "M2 3h12v10H2zM2 6.3h12M2 9.6h12M6.5 3v10",
  axis: "M3 2v12h11M6 10l3-4l2 2l3-4",
  eye:
    "M1.5 8C3 5 5.4 3.5 8 3.5S13 5 14.5 8C13 11 10.6 12.5 8 12.5S3 11 1.5 8M8 6a2 2 0 1 0 0 4a2 2 0 0 0 0-4",
  info: "M8 7v5M8 4.2v.3",
} as const;
