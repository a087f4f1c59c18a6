import type { GuardFigure } from './guard-figure.js';
import type { GuardStage } from './keyed-service.js';
import { measureKeys } from './keys.js';
import { measureLimit } from './limit.js';
import { measureOverload } from './overload.js';
import { measureProbes } from './probes.js';
import { measureStops } from './stops.js';
import { measureWrongKeys } from './wrong-keys.js';

const PARTS: Readonly<Record<string, (stage: GuardStage) => Promise<GuardFigure[]>>> = {
  probes: measureProbes,
  keys: measureKeys,
  limit: measureLimit,
  'wrong-keys': measureWrongKeys,
  overload: measureOverload,
  stops: measureStops,
};

export const GUARD_PARTS = Object.keys(PARTS);

/** What the parts that stand before the controllers cost, and whether they hold; each with a service of its own. @param only one of `GUARD_PARTS` */
export async function measureGuard(stage: GuardStage, only?: string): Promise<GuardFigure[]> {
  const figures: GuardFigure[] = [];
  for (const [name, measure] of Object.entries(PARTS)) {
    if (only === undefined || only === name) figures.push(...(await measure(stage)));
  }
  return figures;
}
