/** The way of a board as bars over one stretch of time. */
import type { Step } from '../../lib/wire';

export interface Bar {
  step: Step;
  ms: number;
  /** Does it last? */
  lasts: boolean;
  /** Share of the whole before it, and of its own: 0 to 1. */
  from: number;
  share: number;
}

export function bars(steps: Step[], now: number): { bars: Bar[]; ms: number } {
  const first = steps[0]?.began ?? now;
  const last = steps.reduce((end, step) => Math.max(end, step.ended ?? now), first);
  const ms = Math.max(1, last - first);
  return {
    ms: last - first,
    bars: steps.map((step) => {
      const took = Math.max(0, (step.ended ?? now) - step.began);
      return {
        step,
        ms: took,
        lasts: step.ended === null,
        from: Math.min(1, Math.max(0, (step.began - first) / ms)),
        share: Math.min(1, took / ms),
      };
    }),
  };
}
