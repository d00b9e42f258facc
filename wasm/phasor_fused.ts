// The entry of the third module: phasors, built for processors that multiply and add in one step.

export * from "./arena";
export { isFused } from "./fused";
export {
  polarToRectangular,
  powerColumns,
  rectangularToPolar,
  sincosColumns,
  symmetricalColumns,
} from "./phasor";
