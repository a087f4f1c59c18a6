import fc from 'fast-check';

/** What a write says about the version that it expects: nothing, the newest, one that is over, or any. */
export type Condition = 'none' | 'current' | 'stale' | 'any';

/** One call of a chain. `at` picks among the rows that the chain has made, also of those that are gone; `external` among the ids of another system. */
export type ChainStep =
  | { readonly kind: 'create'; readonly external: number | null; readonly isKeyed: boolean }
  | { readonly kind: 'repeat'; readonly isOther: boolean }
  | { readonly kind: 'read'; readonly at: number; readonly knows: 'nothing' | 'current' | 'stale' }
  | { readonly kind: 'replace' | 'change'; readonly at: number; readonly condition: Condition; readonly external: number | null }
  | { readonly kind: 'remove'; readonly at: number; readonly condition: Condition; readonly hasReceipt: boolean }
  | { readonly kind: 'removeMany'; readonly ats: readonly number[] }
  | { readonly kind: 'status'; readonly at: number }
  | { readonly kind: 'list' };

const STEPS_MINIMUM = 5;
const STEPS_MAXIMUM = 10;
const ROWS = 3;

const at = fc.nat({ max: ROWS - 1 });
const condition = fc.constantFrom<Condition>('none', 'current', 'current', 'stale', 'any');
// Few, so that rows meet in them.
const external = fc.option(fc.constantFrom(0, 0, 1), { nil: null, freq: 4 });

/** Chains of calls, of which most begin with something to act on. */
export const chainsOfSteps: fc.Arbitrary<ChainStep[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('create' as const), external, isKeyed: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('repeat' as const), isOther: fc.boolean() }) },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('read' as const), at, knows: fc.constantFrom('nothing', 'current', 'stale') }),
    },
    { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom('replace' as const, 'change' as const), at, condition, external }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('remove' as const), at, condition, hasReceipt: fc.boolean() }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('removeMany' as const), ats: fc.uniqueArray(at, { minLength: 1, maxLength: ROWS }) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('status' as const), at }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('list' as const) }) },
  ),
  { minLength: STEPS_MINIMUM, maxLength: STEPS_MAXIMUM, size: 'max' },
);
