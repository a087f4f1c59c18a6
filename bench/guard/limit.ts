import type { ServiceUnderTest } from '../service-under-test.js';
import type { GuardFigure } from './guard-figure.js';
import { keyedService, makeKey, type GuardStage } from './keyed-service.js';

const LIMIT = 2_000;
const PROCESSES = 3;
const LANES = 8;
const TOLERANCE = 0.02;

/** How many requests three processes let through together. */
export async function measureLimit({ say }: GuardStage): Promise<GuardFigure[]> {
  say(`Limit of ${LIMIT} a minute over ${PROCESSES} processes ...`);
  const services = [await keyedService()];
  try {
    while (services.length < PROCESSES) services.push(await keyedService({ DATABASE_URL: services[0]!.databaseUrl }));
    const key = await makeKey(services[0]!, { rate_limit_per_minute: LIMIT });
    const counts = { allowed: 0, refused: 0 };
    const lane = async (service: ServiceUnderTest): Promise<void> => {
      for (let request = 0; request < (LIMIT * 1.5) / (PROCESSES * LANES); request++) {
        const { status } = await service.exchange('GET', '/api/v1/projects?limit=1', undefined, key);
        counts[status === 429 ? 'refused' : 'allowed']++;
      }
    };
    await Promise.all(services.flatMap((service) => Array.from({ length: LANES }, () => lane(service))));
    return [
      {
        what: `allowed of ${LIMIT} over ${PROCESSES} processes`,
        measured: `${counts.allowed} (${counts.refused} refused)`,
        goal: '+- 2 %',
        isMet: Math.abs(counts.allowed / LIMIT - 1) <= TOLERANCE,
      },
    ];
  } finally {
    for (const service of services.reverse()) await service.stop();
  }
}
