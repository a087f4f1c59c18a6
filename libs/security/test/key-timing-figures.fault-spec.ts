import { loadConfig } from '#config';
import { AccessControl, type ApiKeys, issueKey, KeyDirectory, Pepper } from '#security';
import { faultSeed, FixedClock, recordFigure, recordTrials, SeededRandom } from '#testing';
import { FailedAttempts } from '../src/failed-attempts.js';
import { withSecret } from './forged-key.js';
import { PLAIN_KEY } from './stored-key.js';

const SAMPLES = 20_000;
const WARM_UP = 3_000;
/** Of |t| of Welch's test: beyond it, two classes differ by more than chance. */
const T_MAXIMUM = 4.5;
/** Many keys in each class: to write a checksum of 32 bits takes longer than one of 30, and whoever sends it knows it already. */
const KNOWN_KEYS = 24;
const DIGITS = '0123456789abcdef';
/** What the machine did meanwhile is no part of the comparison. */
const KEPT = 0.9;

/** Of each class the middle one of three is judged, each with keys of its own: a leak is there every time, and in the same direction. */
const ROUNDS = 3;
const CLASSES = ['no key', 'unknown id', 'wrong first byte', 'wrong last byte', 'wrong first byte again'] as const;
const BASE = 'wrong first byte';

type Class = (typeof CLASSES)[number];

/**
 * How long a refusal takes, by what is wrong with the key: the check itself, with the key in memory and without HTTP.
 *
 * `wrong first byte` is there twice: how far equal things differ on this machine is seen in the figures as well.
 */
describe(`S5: refusals of keys, seed ${faultSeed}`, () => {
  it('take the same time whatever is wrong with the key', async () => {
    const random = new SeededRandom(faultSeed);
    const rounds: Record<Class, Comparison>[] = [];
    for (let round = 0; round < ROUNDS; round++) rounds.push(compare(await timeRefusals(random)));
    recordTrials({ test: 'S5', what: `refusals timed, ${ROUNDS} rounds`, count: ROUNDS * SAMPLES * CLASSES.length, seed: faultSeed });
    const judged: number[] = [];
    for (const name of CLASSES.filter((other) => other !== BASE)) {
      const { t, meanNs, baseNs } = rounds.map((round) => round[name]).sort((a, b) => a.t - b.t)[(ROUNDS - 1) / 2]!;
      // Who sends no key knows that. It is refused before anything is computed.
      const isJudged = name !== 'no key';
      recordFigure({
        name: `S5: |t| of ${name} against ${BASE}`,
        value: Math.abs(Math.round(t * 100) / 100),
        unit: `(mean ${(meanNs / 1_000).toFixed(2)} us, ${BASE} ${(baseNs / 1_000).toFixed(2)} us)`,
        ...(isJudged ? { goal: `< ${T_MAXIMUM}`, isMet: Math.abs(t) < T_MAXIMUM } : {}),
      });
      if (isJudged) judged.push(Math.abs(t));
    }
    expect(Math.max(...judged)).toBeLessThan(T_MAXIMUM);
  }, 300_000);
});

type Times = Record<Class, number[]>;

async function timeRefusals(random: SeededRandom): Promise<Times> {
  const { access, attempts } = await stage();
  const tookNs = Object.fromEntries(CLASSES.map((name) => [name, [] as number[]])) as Times;
  let turn = 0;
  for (let sample = 0; sample < WARM_UP + SAMPLES; sample++) {
    // Another order each time, so that none of them always comes behind the same one.
    for (const name of shuffled(CLASSES, random)) {
      const text = random.pick(attempts[name]);
      // A string of its own each time, as the parser of HTTP would make it; addresses by turn, not by class.
      const key = text === null ? null : Buffer.from(text).toString('latin1');
      const address = `10.${turn >> 16}.${(turn >> 8) & 255}.${turn & 255}`;
      turn++;
      const startedNs = process.hrtime.bigint();
      const isRefused = await access.identify({ key, address }).then(
        () => false,
        () => true,
      );
      const endedNs = process.hrtime.bigint();
      if (!isRefused) throw new Error(`${name} was let in`);
      if (sample >= WARM_UP) tookNs[name].push(Number(endedNs - startedNs));
    }
  }
  return tookNs;
}

interface Comparison {
  /** Above 0: slower than the base. */
  readonly t: number;
  readonly meanNs: number;
  readonly baseNs: number;
}

function compare(tookNs: Times): Record<Class, Comparison> {
  const limit = quantile(
    CLASSES.flatMap((name) => (name === 'no key' ? [] : tookNs[name])),
    KEPT,
  );
  const kept = (name: Class) => tookNs[name].filter((ns) => ns <= limit);
  const base = kept(BASE);
  return Object.fromEntries(
    CLASSES.map((name) => [name, { t: welch(kept(name), base), meanNs: mean(kept(name)), baseNs: mean(base) }]),
  ) as Record<Class, Comparison>;
}

async function stage(): Promise<{ access: AccessControl; attempts: Record<Class, readonly (string | null)[]> }> {
  const pepper = new Pepper('pepper-0123456789abcdef0123456789');
  const known = Array.from({ length: KNOWN_KEYS }, issueKey);
  const table = new Map(known.map(({ keyId, text }) => [keyId, { ...PLAIN_KEY, keyId, digest: pepper.digest(text), pepperId: pepper.id }]));
  const keys = { find: async (keyId: string) => table.get(keyId) ?? null } as unknown as ApiKeys;
  const clock = new FixedClock();
  const access = new AccessControl(
    loadConfig({ AUTH: 'required' }).security,
    new KeyDirectory(keys, clock),
    pepper,
    new FailedAttempts(clock),
    clock,
  );
  const forged = (change: (secret: string, digit: string) => string) =>
    known.flatMap(({ text }) =>
      [...DIGITS].map((digit) => withSecret(text, (secret) => change(secret, digit))).filter((key) => key !== text),
    );
  const wrongFirst = forged((secret, digit) => digit + secret.slice(1));
  return {
    access,
    attempts: {
      'no key': [null],
      'unknown id': wrongFirst.map(() => issueKey().text),
      'wrong first byte': wrongFirst,
      'wrong last byte': forged((secret, digit) => secret.slice(0, -1) + digit),
      'wrong first byte again': wrongFirst,
    },
  };
}

function shuffled<T>(items: readonly T[], random: SeededRandom): T[] {
  return items
    .map((item) => ({ item, place: random.next() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}

function quantile(values: number[], share: number): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length * share)]!;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Welch's t: the difference of the means, in standard errors. */
function welch(a: readonly number[], b: readonly number[]): number {
  const squaredError = (values: readonly number[]): number => {
    const middle = mean(values);
    return values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1) / values.length;
  };
  return (mean(a) - mean(b)) / Math.sqrt(squaredError(a) + squaredError(b));
}
