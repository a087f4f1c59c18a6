/** What a look at one thing has shown. */
export interface Finding {
  readonly name: string;
  readonly state: 'ok' | 'warn' | 'fail' | 'skipped';
  readonly detail: string;
  /** What to do about it; of what is not ok. */
  readonly advice?: string;
}

export const ok = (name: string, detail: string): Finding => ({ name, state: 'ok', detail });
export const warn = (name: string, detail: string, advice: string): Finding => ({ name, state: 'warn', detail, advice });
export const fail = (name: string, detail: string, advice: string): Finding => ({ name, state: 'fail', detail, advice });
export const skipped = (name: string, detail: string): Finding => ({ name, state: 'skipped', detail });

const WORDS: Readonly<Record<Finding['state'], string>> = { ok: 'ok  ', warn: 'WARN', fail: 'FAIL', skipped: 'skip' };

/** One line of a finding, and what to do below it. @param isVerbose also the details of what is ok */
export function findingText({ name, state, detail, advice }: Finding, isVerbose: boolean): string {
  const line = `${WORDS[state]}  ${name}${state === 'ok' && !isVerbose ? '' : `: ${detail}`}`;
  return advice === undefined ? line : `${line}\n      ${advice}`;
}

export function summaryOf(findings: readonly Finding[]): string {
  const count = (state: Finding['state']): number => findings.filter((finding) => finding.state === state).length;
  const [failed, warned] = [count('fail'), count('warn')];
  if (failed === 0 && warned === 0) return 'Everything that was looked at is well.';
  return `${failed} failed, ${warned} to look at.`;
}

/** The innermost reason, in its own words. */
export function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof Error && cause.message !== '') return reasonOf(cause);
  if (error instanceof AggregateError && error.message === '') return error.errors.map(reasonOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
