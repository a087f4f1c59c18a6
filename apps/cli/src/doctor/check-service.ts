import type { KindredClient } from '../service/kindred-client.js';
import { ServiceError } from '../service/service-error.js';
import { fail, ok, reasonOf, warn, type Finding } from './finding.js';

interface DetailedHealth {
  readonly status: string;
  readonly startup: string;
  readonly details: Readonly<Record<string, { readonly status: string; readonly reason?: string }>>;
  readonly relay: { readonly state: string; readonly pending: number | null };
  readonly event_loop: { readonly is_stalled: boolean };
  readonly memory_mib: number;
}

const ADVICE: Readonly<Record<string, string>> = {
  database: 'PostgreSQL does not answer: nothing works without it. The log of the service says why.',
  vector_db: 'The index does not answer. Searches are answered by its copy or by words; changes wait and are lost in no case.',
};

/** What the service says of itself. */
export async function checkHealth(client: KindredClient): Promise<Finding[]> {
  let health: DetailedHealth;
  try {
    health = await client.health<DetailedHealth>('/health/detailed');
  } catch (error) {
    return [fail('service', reasonOf(error), adviceOf(error, 'Is it Kindred that listens there?'))];
  }
  const { status, startup, details, relay, event_loop, memory_mib } = health;
  const findings = Object.entries(details).map(([name, part]) =>
    part.status === 'up' ? ok(`service: ${name}`, 'up') : partFinding(name, part),
  );
  const pending = relay.pending === null ? '' : `, ${relay.pending} changes pending`;
  findings.push(
    relay.state === 'stalled'
      ? warn(
          'service: relay',
          `stalled${pending}`,
          'Rows wait, and nothing has come of any for a minute: kindred status, kindred dead-letters list, and the log.',
        )
      : ok('service: relay', `${relay.state}${pending}`),
  );
  if (event_loop.is_stalled)
    findings.push(
      warn('service: event loop', 'stood still for a second or more', 'The machine is overloaded, or a request was far too large.'),
    );
  const overall = `${client.url} is ${status}, ${startup}, ${memory_mib} MiB`;
  const isWell = status === 'ok' || (status === 'degraded' && findings.some(({ state }) => state !== 'ok'));
  return [isWell ? ok('service', overall) : fail('service', overall, 'See the lines below, and the log of the service.'), ...findings];
}

function partFinding(name: string, { status, reason }: { readonly status: string; readonly reason?: string }): Finding {
  const make = status === 'degraded' || name !== 'database' ? warn : fail;
  return make(
    `service: ${name}`,
    `${status}${reason === undefined ? '' : ` (${reason})`}`,
    ADVICE[name] ?? 'The log of the service says why.',
  );
}

export function adviceOf(error: unknown, otherwise: string): string {
  return (error instanceof ServiceError ? error.advice : null) ?? otherwise;
}
